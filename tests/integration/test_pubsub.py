"""Messages between clients: what subscribers get, who is too slow, and what is left of those that
go."""
import threading

import redis

from case import ServerTest, only_aeris, raise_descriptor_limit
from wire import Push, encode

LIMIT = "client-output-buffer-limit"


def message(channel, text):
    return [b"message", channel, text]


class Subscriptions(ServerTest):
    shared_directives = {}

    def test_replies_of_both_protocols(self):
        with self.connect() as one, self.connect() as other:
            other.call("HELLO", "3")
            for connection, kind in ((one, list), (other, Push)):
                connection.send_command("SUBSCRIBE", "a", "b", "a")
                replies = [connection.read_reply() for _ in range(3)]
                self.assertEqual(replies, [[b"subscribe", b"a", 1], [b"subscribe", b"b", 2],
                                           [b"subscribe", b"a", 2]])
                self.assertTrue(all(type(each) is kind for each in replies))
                self.assertEqual(connection.call("PSUBSCRIBE", "*"), [b"psubscribe", b"*", 3])
                self.assertEqual(connection.call("SSUBSCRIBE", "a"), [b"ssubscribe", b"a", 1])
                self.assertEqual(connection.call("UNSUBSCRIBE", "x"), [b"unsubscribe", b"x", 3])
                connection.send_command("UNSUBSCRIBE")
                replies = [connection.read_reply() for _ in range(2)]
                self.assertEqual([each[2] for each in replies], [2, 1])
                self.assertEqual({each[1] for each in replies}, {b"a", b"b"})
                self.assertEqual(connection.call("UNSUBSCRIBE"), [b"unsubscribe", None, 1])
                self.assertEqual(connection.call("PUNSUBSCRIBE"), [b"punsubscribe", b"*", 0])
                self.assertEqual(connection.call("PUNSUBSCRIBE"), [b"punsubscribe", None, 0])
                self.assertEqual(connection.call("SUNSUBSCRIBE"), [b"sunsubscribe", b"a", 0])
                self.assertEqual(connection.call("SUNSUBSCRIBE"), [b"sunsubscribe", None, 0])
                self.assertEqual(connection.call("PING"), b"PONG")

    def test_subscribers_of_resp2_may_call_little(self):
        for subscribe in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"):
            connection = self.connect()
            connection.call(subscribe, "c")
            for request in (("GET", "k"), ("CLIENT", "ID"), ("HELLO", "3"), ("PUBLISH", "c", "x"),
                            ("PUBSUB", "CHANNELS")):
                name = "|".join(request[:2]).lower() if request[0] in ("CLIENT", "PUBSUB") \
                    else request[0].lower()
                self.assertEqual(connection.raw(*request), (
                    f"-ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
                    "QUIT / RESET are allowed in this context\r\n").encode())
            self.assertEqual(connection.call("PING"), [b"pong", b""])
            self.assertEqual(connection.call("PING", "text"), [b"pong", b"text"])
            self.assertEqual(connection.call("RESET"), b"RESET")
            self.assertEqual(connection.call("GET", "k"), None)

    def test_hostile_names(self):
        subscriber, publisher = self.connect(), self.connect()
        for name in (b"", b"\r\n", b"\x00\xff", b"[", b"\\", b"*", b"c" * 100_000):
            self.assertEqual(subscriber.call("SUBSCRIBE", name), [b"subscribe", name, 1])
            self.assertEqual(publisher.call("PUBLISH", name, b"\r\n$-1"), 1)
            self.assertEqual(subscriber.read_reply(), message(name, b"\r\n$-1"))
            self.assertEqual(subscriber.call("UNSUBSCRIBE", name), [b"unsubscribe", name, 0])
            self.assertEqual(subscriber.call("PSUBSCRIBE", name)[2], 1)
            subscriber.call("PUNSUBSCRIBE")
        for request in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "PUBLISH", "PUBLISH c",
                        "PUBLISH c m x", "SPUBLISH c", "PUBSUB", "PUBSUB NUMPAT x"):
            self.assertTrue(publisher.raw(*request.split()).startswith(
                b"-ERR wrong number of arguments for '"), request)
        self.assertTrue(publisher.raw("PUBSUB", "foo").startswith(b"-ERR unknown subcommand 'foo'"))
        self.assertEqual(publisher.raw("PUBSUB", "CHANNELS", "a", "b"),
                         b"-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. "
                         b"Try PUBSUB HELP.\r\n")

    def test_large_messages_reach_everybody(self):
        subscribers = [self.connect() for _ in range(20)]
        for number, subscriber in enumerate(subscribers):
            if number % 2:
                subscriber.call("HELLO", "3")
            subscriber.call("SUBSCRIBE", "c")
        publisher = self.connect()
        sizes = (1, 5000, 16_300, 16_384, 40_000, 3_000_000, 20)
        texts = [bytes([97 + number]) * size for number, size in enumerate(sizes)]
        readers, received = [], [[] for _ in subscribers]
        for subscriber, replies in zip(subscribers, received):
            readers.append(threading.Thread(
                target=lambda subscriber=subscriber, replies=replies: replies.extend(
                    subscriber.read_reply() for _ in texts)))
            readers[-1].start()
        publisher.pipeline([("PUBLISH", "c", text) for text in texts])
        for reader in readers:
            reader.join()
        for replies in received:
            self.assertEqual(replies, [message(b"c", text) for text in texts])

    def test_redis_py(self):
        for protocol_options in ({}, {"protocol": 3}):
            try:
                client = redis.Redis(port=self.server.port, **protocol_options)
            except TypeError:  # an old client without RESP3
                continue
            self.addCleanup(client.close)
            heard = []
            pubsub = client.pubsub(ignore_subscribe_messages=True)
            pubsub.subscribe(**{"news": lambda each: heard.append(each["data"])})
            pubsub.psubscribe("n*")
            self.wait_for(lambda: client.pubsub_numsub("news") == [(b"news", 1)] and
                          client.pubsub_numpat() == 1, "subscriptions")
            for number in range(10):
                self.assertEqual(client.publish("news", number), 2)
            matched = []
            self.wait_for(lambda: self._collect(pubsub, matched) == 10 and len(heard) == 10,
                          "messages")
            self.assertEqual(heard, [str(number).encode() for number in range(10)])
            self.assertEqual(matched, heard)
            pubsub.close()
            self.wait_for(lambda: client.pubsub_channels() == [], "the end of the subscription")

    @staticmethod
    def _collect(pubsub, messages):
        while (each := pubsub.get_message(timeout=0)) is not None:
            messages.append(each["data"])
        return len(messages)


class ManySubscribers(ServerTest):
    def test_a_thousand(self):
        count = 200 if self.light or self.sanitized else 1000
        raise_descriptor_limit(count + 100)
        server = self.start_server({"maxclients": count + 50})
        subscribers = [self.connect(server) for _ in range(count)]
        for subscriber in subscribers:
            subscriber.send_command("SUBSCRIBE", "all")
        for subscriber in subscribers:
            self.assertEqual(subscriber.read_reply(), [b"subscribe", b"all", 1])
        publisher = self.connect(server)
        texts = [f"message {number}".encode() for number in range(50)]
        self.assertEqual(publisher.pipeline([("PUBLISH", "all", text) for text in texts]),
                         [count] * len(texts))
        for subscriber in subscribers:
            for text in texts:
                self.assertEqual(subscriber.read_reply(), message(b"all", text))
        # Half of them go in each way there is.
        for number, subscriber in enumerate(subscribers[:count // 2]):
            if number % 3 == 0:
                subscriber.reset()
            elif number % 3 == 1:
                subscriber.close()
            else:
                self.assertEqual(subscriber.call("RESET"), b"RESET")
        left = count - count // 2
        self.wait_for(lambda: publisher.call("PUBSUB", "NUMSUB", "all") == [b"all", left],
                      "those that are gone")
        self.assertEqual(publisher.call("PUBLISH", "all", "x"), left)
        self.assertEqual(publisher.call("CLIENT", "KILL", "TYPE", "pubsub"), left)
        self.assertEqual(publisher.call("PUBSUB", "CHANNELS"), [])
        self.assertEqual(publisher.call("PUBLISH", "all", "x"), 0)

    @only_aeris("how much that is differs")
    def test_those_that_leave_leave_no_memory(self):
        server = self.start_server()
        watcher = self.connect(server)

        def round_of_subscribers():
            connection = self.connect(server)
            names = [f"channel:{number}" for number in range(5000)]
            connection.send(encode("SUBSCRIBE", *names) + encode("PSUBSCRIBE", *names) +
                            encode("SSUBSCRIBE", *names))
            for _ in range(3 * len(names)):
                connection.read_reply()
            self.assertEqual(watcher.call("PUBSUB", "NUMPAT"), len(names))
            connection.close()
            self.wait_for(lambda: watcher.call("PUBSUB", "NUMPAT") == 0, "the end")

        round_of_subscribers()
        before = int(server.info("memory")["used_memory"])
        for _ in range(5):
            round_of_subscribers()
        self.wait_for(lambda: int(server.info("memory")["used_memory"]) < before + (256 << 10),
                      "memory that returns", 30)


class SlowSubscribers(ServerTest):
    def slow(self, server, limit):
        publisher = self.connect(server)
        self.assertEqual(publisher.call("CONFIG", "SET", LIMIT, f"pubsub {limit}"), b"OK")
        slow = self.connect(server, receive_buffer=4096)
        slow.call("SUBSCRIBE", "c")
        return publisher, slow

    def held(self, publisher):
        line = publisher.call("CLIENT", "LIST", "TYPE", "pubsub").decode()
        return int(line.partition("omem=")[2].split()[0]) if line else None

    def test_cut_at_the_hard_limit(self):
        server = self.start_server()
        publisher, slow = self.slow(server, "1000000 0 0")
        most = 0
        for _ in range(1000):
            publisher.call("PUBLISH", "c", b"x" * 10_000)
            held = self.held(publisher)
            if held is None:
                break
            most = max(most, held)
        self.assertIsNone(self.held(publisher))
        self.assertGreater(most, 500_000)
        self.assertLess(most, 1_100_000)
        self.assertTrue(slow.closed_by_peer())
        self.assertEqual(publisher.call("PUBSUB", "CHANNELS"), [])
        self.assertIn("output buffer limits", server.output())

    def test_small_messages_count_too(self):
        server = self.start_server()
        publisher, slow = self.slow(server, "300000 0 0")
        self.wait_for(lambda: not all(publisher.pipeline([("PUBLISH", "c", b"x" * 30)] * 500)),
                      "the cut", 60)
        self.assertTrue(slow.closed_by_peer())

    def test_cut_after_the_seconds_of_the_soft_limit(self):
        server = self.start_server()
        publisher, slow = self.slow(server, "0 200000 2")
        self.wait_for(lambda: publisher.call("PUBLISH", "c", b"x" * 10_000) == 1 and
                      (self.held(publisher) or 0) > 300_000, "replies that wait")
        self.assertEqual(publisher.call("PUBLISH", "c", "x"), 1)
        self.wait_for(lambda: self.held(publisher) is None, "the cut", 20)
        self.assertTrue(slow.closed_by_peer())

    def test_who_reads_in_time_is_not_cut(self):
        server = self.start_server()
        publisher, slow = self.slow(server, "0 200000 3600")
        count = 0
        while (self.held(publisher) or 0) < 400_000:
            publisher.call("PUBLISH", "c", b"%06d" % count + b"x" * 10_000)
            count += 1
        for number in range(count):
            self.assertEqual(slow.read_reply()[2][:6], b"%06d" % number)
        self.wait_for(lambda: self.held(publisher) == 0, "an empty buffer")

    @only_aeris("Redis copies a message for each subscriber")
    def test_what_the_slow_hold_is_bounded(self):
        """Small messages among many others: none keeps more alive than itself."""
        server = self.start_server({LIMIT: ["pubsub", "0", "0", "0"]})
        publisher = self.connect(server)
        slow = self.connect(server, receive_buffer=4096)
        slow.call("SUBSCRIBE", "rare")
        fast = self.connect(server)
        fast.call("SUBSCRIBE", "often")
        publisher.call("PUBLISH", "rare", b"x" * 6_000_000)  # from now on it is slow
        before = int(server.info("memory")["used_memory"])
        rounds = 200 if self.light or self.sanitized else 1000
        for _ in range(rounds):
            publisher.send(encode("PUBLISH", "rare", "x") + encode("PUBLISH", "often", b"y" * 15_000))
            self.assertEqual([publisher.read_reply() for _ in range(2)], [1, 1])
            fast.read_reply()
        self.assertLess(int(server.info("memory")["used_memory"]), before + (2 << 20))
