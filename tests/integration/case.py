"""What all integration tests share: settings of the run, servers that are always stopped."""
import os
import random
import resource
import signal
import unittest

from server import ServerProcess, is_aeris, is_sanitized, wait_for

TEST_SECONDS = 240


class Settings:
    """Filled in by run.py before the tests are loaded."""
    binary = "redis-server"
    light = False
    build_directory = None
    aeris = False
    sanitized = False

    @classmethod
    def choose(cls, binary, light, build_directory):
        cls.binary = binary
        cls.light = light
        cls.build_directory = build_directory
        cls.aeris = is_aeris(binary)
        cls.sanitized = is_sanitized(binary)


class ServerTest(unittest.TestCase):
    """A test that starts servers. Each is stopped at the end and must have survived the test,
    unless the test stopped it itself. A test that hangs is ended by an alarm."""

    SECONDS = TEST_SECONDS
    shared_directives = None  # a class that sets this has self.server for all of its tests
    server = None

    @classmethod
    def setUpClass(cls):
        if cls.shared_directives is not None:
            cls.server = ServerProcess(Settings.binary, cls.shared_directives).start()
            cls.addClassCleanup(cls.server.destroy)

    def setUp(self):
        def give_up(*_):
            raise TimeoutError(f"{self.id()} took more than {self.SECONDS} s")
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(self.SECONDS)
        self.addCleanup(signal.alarm, 0)
        if self.server is not None:
            if not self.server.alive():
                self.server.start()
            self.addCleanup(self._check_survived)

    def _check_survived(self):
        if not self.server.alive():
            self.fail(f"the server died, exit status {self.server.process.returncode}:\n"
                      f"{self.server.output()[-4000:]}")

    def check_replies(self, connection, rows):
        """A table of requests with what is replied: a value, or the bytes of an error. A request is
        a text of words, or a list of arguments."""
        for request, expected in rows:
            with self.subTest(request=request):
                words = request.split() if isinstance(request, str) else request
                error = isinstance(expected, bytes) and expected.startswith(b"-")
                reply = connection.raw(*words) if error else connection.call(*words)
                self.assertEqual(reply, expected)

    def new_server(self, directives=None, **options):
        server = ServerProcess(Settings.binary, directives, **options)
        self.addCleanup(server.destroy)
        return server

    def start_server(self, directives=None, **options):
        return self.new_server(directives, **options).start()

    @property
    def light(self):
        return Settings.light

    @property
    def sanitized(self):
        return Settings.sanitized

    def seeded_random(self):
        """A generator whose seed is in the output of the test."""
        seed = int(os.environ.get("AERIS_TEST_SEED", random.randrange(1 << 32)))
        print(f"AERIS_TEST_SEED={seed} {self.id()}", flush=True)
        return random.Random(seed)

    def connect(self, server=None, **options):
        connection = (server or self.server).connect(**options)
        self.addCleanup(connection.close)
        return connection

    def wait_for(self, condition, what, seconds=10.0):
        return wait_for(condition, what, seconds)

    def assert_serves(self, server=None):
        """The server still answers a new client."""
        with (server or self.server).connect() as connection:
            self.assertEqual(connection.raw("PING"), b"+PONG\r\n")


def only_aeris(reason):
    """For behaviour where Redis 7.0 is known to differ; the reason says how."""
    return unittest.skipUnless(Settings.aeris, f"Redis 7.0 differs: {reason}")


def raise_descriptor_limit(wanted):
    """Lets this process open `wanted` sockets; returns how many it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def data_file(*names):
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), *names)
