"""hiredis, the reference client, compiled here and run against the server."""
import os
import subprocess

from case import ServerTest, Settings, data_file


class Hiredis(ServerTest):

    def compile(self, name):
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "hiredis"],
                               capture_output=True, text=True, timeout=30, check=True)
        program = os.path.join(Settings.build_directory, name)
        subprocess.run(["gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-o", program,
                        data_file("hiredis-clients", name + ".c")] + flags.stdout.split(),
                       check=True, timeout=120)
        return program

    def converse(self, name):
        """Runs the client; restarts the server in the middle, when the client asks for it."""
        server = self.start_server()
        largest = (4 if self.light else 64) * 1024 * 1024
        client = subprocess.Popen([self.compile(name), str(server.port), str(largest)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        lines = []
        try:
            for line in client.stdout:
                lines.append(line.strip())
                if line == "restart me\n":
                    server.restart()
                    client.stdin.write("done\n")
                    client.stdin.flush()
            self.assertEqual(client.wait(60), 0, lines)
        finally:
            client.kill()
            client.wait()
            client.stdout.close()
            client.stdin.close()
        self.assertEqual(lines[-1], "all held")
        return lines

    def test_synchronous_client(self):
        lines = self.converse("sync_client")
        for step in ("pipeline", "binary", "largest value", "reconnect", "serves again"):
            self.assertIn(step, lines)

    def test_asynchronous_client(self):
        lines = self.converse("async_client")
        self.assertEqual(lines.count("replies"), 2)
        self.assertEqual(lines.count("disconnected"), 1)
