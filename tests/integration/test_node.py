"""Node clients and what is built on them, installed at test time with npm at the versions of
node/package.json."""
import os
import shutil
import subprocess

from case import ServerTest, Settings, data_file
from certificates import Authority
from server import free_port

PROGRAMS = ("package.json", ".npmrc", "steps.mjs", "ioredis.mjs", "ioredis_pubsub.mjs",
            "keyv.mjs", "node_redis.mjs", "node_redis_cache.mjs", "node_redis_pubsub.mjs",
            "rate_limit.mjs", "sessions.mjs", "tls.mjs")


class Node(ServerTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = os.path.join(Settings.build_directory, "node")
        os.makedirs(cls.directory, exist_ok=True)
        installed = os.path.join(cls.directory, "installed.json")
        with open(data_file("node", "package.json"), encoding="utf-8") as file:
            wanted = file.read()
        for name in PROGRAMS:
            shutil.copy(data_file("node", name), cls.directory)
        if not os.path.exists(installed) or open(installed, encoding="utf-8").read() != wanted:
            subprocess.run(["npm", "install", "--no-progress"], cwd=cls.directory, check=True,
                           timeout=300, capture_output=True)
            shutil.copy(data_file("node", "package.json"), installed)

    def converse(self, program, *arguments, directives=None):
        """Runs the program; restarts the server when it asks for that. Gives the steps it did."""
        server = self.start_server(directives)
        port = server.directives.get("tls-port", server.port)
        largest = (4 if self.light else 64) * 1024 * 1024
        client = subprocess.Popen(["node", program, str(port), str(largest), *arguments],
                                  cwd=self.directory, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        steps = []
        try:
            for line in client.stdout:
                steps.append(line.strip())
                if line == "restart me\n":
                    server.restart()
                    client.stdin.write("done\n")
                    client.stdin.flush()
            self.assertEqual(client.wait(60), 0, "\n".join(steps))
        finally:
            client.kill()
            client.wait()
            client.stdout.close()
            client.stdin.close()
        self.assertEqual(steps[-1], "all held", "\n".join(steps))
        return steps

    def test_ioredis(self):
        self.assertIn("reconnect", self.converse("ioredis.mjs"))

    def test_node_redis_with_resp2(self):
        self.assertIn("reconnect", self.converse("node_redis.mjs", "2"))

    def test_node_redis_with_resp3(self):
        self.assertIn("reconnect", self.converse("node_redis.mjs", "3"))

    def test_ioredis_subscribers_come_back(self):
        self.assertIn("killed 3", self.converse("ioredis_pubsub.mjs"))

    def test_node_redis_subscribers_come_back_with_resp2(self):
        self.assertIn("killed 3", self.converse("node_redis_pubsub.mjs", "2"))

    def test_node_redis_subscribers_come_back_with_resp3(self):
        self.assertIn("killed 3", self.converse("node_redis_pubsub.mjs", "3"))

    def test_node_redis_cache(self):
        self.assertIn("eviction", self.converse("node_redis_cache.mjs"))

    def test_sessions_of_express(self):
        self.assertIn("reconnect", self.converse("sessions.mjs"))

    def test_both_over_tls(self):
        authority = Authority(os.path.join(self.directory, "certificates"))
        authority.issue("server").issue("client")
        self.converse("tls.mjs", authority.directory,
                      directives=authority.directives(**{"tls-port": free_port()}))

    def test_keyv(self):
        self.assertIn("iterator", self.converse("keyv.mjs"))

    def test_rate_limit(self):
        self.assertIn("the next one", self.converse("rate_limit.mjs"))
