"""What tests with redis-py share: a server that they all use, and clients that are closed."""
import redis

from case import ServerTest


class RedisPyTest(ServerTest):
    shared_directives = {}

    def setUp(self):
        super().setUp()
        self.redis = self.client()
        self.redis.flushall()

    def client(self, server=None, **options):
        port = (server or self.server).port
        client = redis.Redis("127.0.0.1", port, socket_timeout=60, **options)
        self.addCleanup(client.close)
        return client
