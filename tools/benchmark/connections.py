"""Many connections: what idle ones take, what they cost those that work, and what a storm of TLS
handshakes costs them."""

import contextlib
import pathlib
import resource
import selectors
import socket
import ssl
import struct
import subprocess
import threading

from .servers import BenchError, free_port

# 10,000 clients, of which 100 work.
IDLE = 9_900
WORKING = 100
TLS_IDLE = 2_000
STORM_CONNECTIONS = 64  # handshakes under way at a time
STORM_SECONDS = 5
PINGS_PER_SECOND = 1_000
# No thousands of ports in TIME_WAIT afterwards.
RESET = struct.pack("ii", 1, 0)


def raise_descriptor_limit(wanted):
    """For this process and the servers that it starts. Root may go beyond the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    for limits in ((wanted, max(hard, wanted)), (min(wanted, hard), hard)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            break
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
        raise BenchError(f"{wanted} descriptors are needed: ulimit -n {wanted}")


@contextlib.contextmanager
def idle_connections(server, count, wrap=None, port=None):
    """So many that have said PING, or what asks for memcached's version, and then nothing more."""
    raise_descriptor_limit(count + 200)
    question = b"PING\r\n" if server.protocol == "resp" else b"version\r\n"
    with contextlib.ExitStack() as connections:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port or server.port), timeout=60)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            if wrap is not None:
                connection = wrap(connection)
            connections.enter_context(connection)
            connection.sendall(question)
            if not connection.recv(100).endswith(b"\r\n"):
                raise BenchError(f"{server.name} refused a connection")
        yield


def open_tls_port(server):
    """Gives the server a certificate with an RSA key of 2048 bits, which is what most have, and a
    TLS port, which is returned. Clients show none."""
    folder = pathlib.Path(server.folder.name)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", str(folder / "key"),
                    "-out", str(folder / "certificate")], check=True, capture_output=True)
    port = free_port()
    for settings in (f"tls-auth-clients no tls-cert-file {folder}/certificate "
                     f"tls-key-file {folder}/key", f"tls-port {port}"):
        reply = server.ask(f"CONFIG SET {settings}")
        if reply != "+OK":
            raise BenchError(f"{server.name} opens no TLS port: {reply}")
    return port


def trusting():
    settings = ssl.create_default_context()
    settings.check_hostname = False
    settings.verify_mode = ssl.CERT_NONE
    return settings


class Storm:
    """New connections that send the first message of a handshake, wait for its answer, for which
    the server has signed, and go; as many as the server takes. They cost the storm itself next to
    nothing."""

    def __init__(self, port):
        out = ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            trusting().wrap_bio(ssl.MemoryBIO(), out).do_handshake()
        self.port, self.hello = port, out.read()
        self.answered = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def run(self):
        with selectors.DefaultSelector() as selector:
            for _ in range(STORM_CONNECTIONS):
                self.connect(selector)
            while not self.ended.is_set():
                for key, _ in selector.select(timeout=0.1):
                    self.advance(selector, key)
            for key in list(selector.get_map().values()):
                key.fileobj.close()

    def connect(self, selector):
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.connect_ex(("127.0.0.1", self.port))
        selector.register(connection, selectors.EVENT_WRITE)

    def advance(self, selector, key):
        connection = key.fileobj
        try:
            if key.events == selectors.EVENT_WRITE:
                connection.send(self.hello)
                selector.modify(connection, selectors.EVENT_READ)
                return
            self.answered += 1 if connection.recv(1) else 0
        except OSError:
            pass  # what counts is what was answered
        selector.unregister(connection)
        connection.close()
        self.connect(selector)


def among_idle(bench, busy, alone, row, number, requests):
    """One round: how much more CPU time the same requests take beside idle connections than
    without; it is what throughput is made of, and holds when the load is the slower side."""
    order = [busy, alone] if number % 2 else [alone, busy]
    results = {server: bench.load.run(server, row.workload, keys=row.keys, pipeline=row.pipeline,
                                      requests=requests, value_size=row.value_bytes,
                                      seed=number + 1, connections=WORKING)
               for server in order}
    return {"value": results[busy]["server_cpu_us"] / results[alone]["server_cpu_us"],
            "with": results[busy], "without": results[alone]}


def during_storm(bench, server, number):
    """One round: the p99 of PINGs of a plain client at a steady rate, in a storm."""
    port = open_tls_port(server)
    seconds = max(1, STORM_SECONDS * bench.options.scale)
    pings = {"rate": PINGS_PER_SECOND, "seconds": seconds, "connections": 1, "seed": number + 1}
    calm = bench.load.run(server, "ping", **pings)
    with Storm(port) as storm:
        stormy = bench.load.run(server, "ping", **pings)
    if storm.answered == 0:
        raise BenchError(f"{server.name} answered no handshake")
    return {"value": stormy["latency"]["p99_ms"], "calm": calm["latency"]["p99_ms"],
            "handshakes_per_second": storm.answered / seconds}
