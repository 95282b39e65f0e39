"""Run inside a network namespace: talks to a server over a loopback and over another address."""
import subprocess
import sys

from server import ServerProcess
from wire import Connection

STRANGER = "10.99.99.1"


def answer(host, port):
    with Connection.tcp(host, port, 10) as connection:
        try:
            connection.send_command("PING")
            return bytes(connection.read_raw()).decode().strip()
        except OSError as error:
            return str(error)


def main():
    for command in ("ip link set lo up", f"ip addr add {STRANGER}/32 dev lo"):
        subprocess.run(command.split(), check=True, timeout=20)
    directives = dict(word.split("=", 1) for word in sys.argv[2:])
    with ServerProcess(sys.argv[1], directives) as server:
        print("loopback:", answer("127.0.0.1", server.port))
        print("other:", answer(STRANGER, server.port))


if __name__ == "__main__":
    main()
