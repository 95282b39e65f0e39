"""Thousands of clients that wait: each gets its own, and nothing of them is left behind."""
import resource
import select
import time

from case import ServerTest, only_aeris

COMMANDS = (
    lambda key: ("BLPOP", key, 0),
    lambda key: ("BZPOPMIN", key, 0),
    lambda key: ("XREAD", "BLOCK", 0, "STREAMS", key, "$"),
)
WRITES = (
    lambda key, number: ("RPUSH", key, f"value:{number}"),
    lambda key, number: ("ZADD", key, number, f"value:{number}"),
    lambda key, number: ("XADD", key, f"{number + 1}-0", "field", f"value:{number}"),
)


class BlockedClients(ServerTest):
    def setUp(self):
        super().setUp()
        self.count = 300 if self.light or self.sanitized else 3000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.count + 500
        if soft < wanted:
            if hard != resource.RLIM_INFINITY and hard < wanted:
                self.skipTest(f"no more than {hard} descriptors")
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.server = self.start_server({"maxclients": self.count + 100})
        self.writer = self.connect()

    def blocked(self):
        return int(self.server.info("clients")["blocked_clients"])

    def wait_until_blocked(self, count):
        self.wait_for(lambda: self.blocked() == count, f"{count} blocked clients", 60)

    def block(self, command_of):
        waiting = [self.connect() for _ in range(self.count)]
        for number, connection in enumerate(waiting):
            connection.send_command(*command_of(number))
        self.wait_until_blocked(self.count)
        return waiting

    def test_each_waits_for_a_key_of_its_own(self):
        kinds = len(COMMANDS)
        waiting = self.block(lambda number: COMMANDS[number % kinds](f"key:{number}"))
        self.assertEqual(self.writer.call("SET", "other", "1"), b"OK")
        self.assertEqual(self.blocked(), self.count)
        # Backwards: the order of arrival does not matter.
        for number in reversed(range(self.count)):
            key = f"key:{number}"
            self.writer.call(*WRITES[number % kinds](key, number))
            reply = waiting[number].read_reply()
            value = f"value:{number}".encode()
            if number % kinds == 0:
                self.assertEqual(reply, [key.encode(), value])
            elif number % kinds == 1:
                self.assertEqual(reply, [key.encode(), value, str(number).encode()])
            else:
                self.assertEqual(reply, [[key.encode(), [[f"{number + 1}-0".encode(),
                                                          [b"field", value]]]]])
        self.assertEqual(self.blocked(), 0)
        self.assertEqual(self.writer.call("DBSIZE"), 1 + self.count // kinds)

    def test_all_wait_for_one_key(self):
        for kind in (0, 1):
            with self.subTest(COMMANDS[kind]("key")[0]):
                waiting = self.block(lambda number, kind=kind: COMMANDS[kind]("key"))
                # One write serves as many as it has values.
                values = [f"value:{number}" for number in range(self.count // 2)]
                words = values if kind == 0 else [word for value in values
                                                  for word in ("1", value)]
                self.writer.call("RPUSH" if kind == 0 else "ZADD", "key", *words)
                self.assertEqual(self.blocked(), self.count - len(values))
                poll = select.poll()
                by_descriptor = {each.socket.fileno(): each for each in waiting}
                for descriptor in by_descriptor:
                    poll.register(descriptor, select.POLLIN)
                served = []
                while len(served) < len(values):
                    for descriptor, _ in poll.poll(10000):
                        poll.unregister(descriptor)
                        served.append(by_descriptor[descriptor].read_reply()[1].decode())
                self.assertEqual(sorted(served), sorted(values))
                self.assertEqual(self.writer.call("EXISTS", "key"), 0)
                for connection in waiting:
                    connection.close()
                self.wait_until_blocked(0)
        waiting = self.block(lambda number: COMMANDS[2]("stream"))
        self.writer.call("XADD", "stream", "5-0", "a", "b")
        for connection in waiting:
            self.assertEqual(connection.read_reply(), [[b"stream", [[b"5-0", [b"a", b"b"]]]]])
        self.assertEqual(self.blocked(), 0)

    def test_timeouts_end_each_wait(self):
        began = time.monotonic()
        waiting = [self.connect() for _ in range(self.count)]
        for number, connection in enumerate(waiting):
            # As many timers as there are clients, in no order.
            connection.send_command("BLPOP", f"key:{number % 7}", 1 + number * 7919 % 1000 / 1000)
        for connection in waiting:
            self.assertEqual(repr(connection.read_reply()), "NullArray")
        self.assertGreater(time.monotonic() - began, 1.9)
        self.assertEqual(self.blocked(), 0)
        self.writer.call("RPUSH", "key:0", "value")
        self.assertEqual(self.writer.call("LLEN", "key:0"), 1)

    @only_aeris("how much that is differs")
    def test_those_that_leave_leave_nothing(self):
        for round_number in range(3):
            waiting = self.block(lambda number: COMMANDS[number % 2](f"key:{number % 50}"))
            for number, connection in enumerate(waiting):
                connection.reset() if number % 2 else connection.close()
            self.wait_until_blocked(0)
            self.wait_for(lambda: self.server.info("clients")["connected_clients"] == "2",
                          "clients that are gone", 30)
            if round_number == 0:
                before = int(self.server.info("memory")["used_memory"])
        # Buffers that nobody uses go some seconds later.
        self.wait_for(lambda: int(self.server.info("memory")["used_memory"]) < before + (256 << 10),
                      "memory that returns", 30)
        for number in range(50):
            self.writer.call("RPUSH", f"key:{number}", "value")
        self.assertEqual(self.writer.call("DBSIZE"), 50)
        self.assert_serves()
