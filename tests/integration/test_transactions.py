"""Transactions as applications use them: redis-py's pipelines, loops that watch, and what a client
leaves when it goes in the middle."""
import re
import threading

import redis

from case import ServerTest, only_aeris
from redis_py_case import RedisPyTest
from wire import ErrorReply, NULL_ARRAY, encode


class RedisPyPipelines(RedisPyTest):
    def test_a_pipeline_is_a_transaction(self):
        pipeline = self.redis.pipeline()
        pipeline.set("k", 1).incr("k").get("k").hset("h", mapping={"a": 1}).hgetall("h")
        self.assertEqual(pipeline.execute(), [True, 2, b"2", 1, {b"a": b"1"}])
        self.assertEqual(pipeline.execute(), [])

    def test_thousands_of_commands(self):
        pipeline = self.redis.pipeline(transaction=True)
        for index in range(5000):
            pipeline.set(f"key:{index}", "x" * (index % 300))
        self.assertEqual(pipeline.execute(), [True] * 5000)
        for index in range(5000):
            pipeline.strlen(f"key:{index}")
        self.assertEqual(pipeline.execute(), [index % 300 for index in range(5000)])

    def test_values_of_megabytes(self):
        values = [bytes([65 + index]) * (index << 20) for index in range(6)]
        pipeline = self.redis.pipeline()
        for index, value in enumerate(values):
            pipeline.set(f"big:{index}", value)
        self.assertEqual(pipeline.execute(), [True] * 6)
        for index in range(6):
            pipeline.get(f"big:{index}")
        self.assertTrue(pipeline.execute() == values)

    def test_an_error_is_at_its_place_and_the_rest_runs(self):
        pipeline = self.redis.pipeline()
        pipeline.set("k", "text").incr("k").set("after", 1)
        results = pipeline.execute(raise_on_error=False)
        self.assertEqual([results[0], results[2]], [True, True])
        self.assertIsInstance(results[1], redis.ResponseError)
        self.assertEqual(self.redis.get("after"), b"1")

    def test_a_wrong_command_keeps_all_from_running(self):
        pipeline = self.redis.pipeline()
        pipeline.set("k", 1).execute_command("NOSUCH").set("l", 1)
        with self.assertRaises(redis.ResponseError):
            pipeline.execute()
        self.assertEqual(self.redis.exists("k", "l"), 0)
        self.assertTrue(self.redis.ping())

    def test_a_watched_key_that_changes_raises(self):
        with self.redis.pipeline() as pipeline:
            pipeline.watch("k")
            self.client().set("k", 1)
            pipeline.multi()
            pipeline.set("k", 2)
            with self.assertRaises(redis.WatchError):
                pipeline.execute()
        self.assertEqual(self.redis.get("k"), b"1")

    def test_increments_by_watching_lose_none(self):
        rounds, threads = (20 if self.light else 100), 4

        def increment():
            client = self.client()
            for _ in range(rounds):
                def step(pipeline):
                    value = int(pipeline.get("counter") or 0)
                    pipeline.multi()
                    pipeline.set("counter", value + 1)
                client.transaction(step, "counter")

        workers = [threading.Thread(target=increment) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        self.assertEqual(self.redis.get("counter"), b"%d" % (rounds * threads))

    def test_locks_by_watching(self):
        lock = self.redis.lock("lock", timeout=10)
        self.assertTrue(lock.acquire(blocking=False))
        self.assertFalse(self.client().lock("lock").acquire(blocking=False))

    def test_transfers_keep_the_sum(self):
        self.redis.mset({f"account:{number}": 100 for number in range(5)})
        stop = threading.Event()
        sums = []

        def look():
            client = self.client()
            while not stop.is_set():
                pipeline = client.pipeline()
                for number in range(5):
                    pipeline.get(f"account:{number}")
                sums.append(sum(map(int, pipeline.execute())))

        def transfer(generator):
            client = self.client()
            for _ in range(100):
                source, target = generator.sample(range(5), 2)
                pipeline = client.pipeline()
                pipeline.decrby(f"account:{source}", 7).incrby(f"account:{target}", 7)
                pipeline.execute()

        looker = threading.Thread(target=look)
        looker.start()
        movers = [threading.Thread(target=transfer, args=(self.seeded_random(),)) for _ in range(3)]
        for mover in movers:
            mover.start()
        for mover in movers:
            mover.join(60)
        stop.set()
        looker.join(60)
        self.assertEqual(set(sums), {500})


class Transactions(ServerTest):
    shared_directives = {"enable-debug-command": "yes"}

    def test_one_that_ends_in_the_middle_changes_nothing(self):
        for ending in ("close", "reset", "QUIT"):
            with self.subTest(ending=ending):
                client, other = self.connect(), self.connect()
                other.call("DEL", "k")
                self.assertEqual(client.call("WATCH", "k", "l"), b"OK")
                self.assertEqual(client.pipeline([("MULTI",), ("SET", "k", 1)]), [b"OK", b"QUEUED"])
                if ending == "QUIT":
                    self.assertEqual(client.call("QUIT"), b"OK")
                elif ending == "reset":
                    client.reset()
                else:
                    client.close()
                self.wait_for(lambda: b"multi=1" not in other.call("CLIENT", "LIST"), "its end")
                self.assertEqual(other.call("EXISTS", "k"), 0)

    def test_requests_in_single_bytes(self):
        client = self.connect()
        data = b"".join(encode(*words.split()) for words in
                        ("MULTI", "SET k v", "GET k", "WATCH x", "DEL k", "EXEC"))
        for byte in data:
            client.send(bytes([byte]))
        replies = [client.read_reply() for _ in range(6)]
        self.assertEqual(replies[:3], [b"OK", b"QUEUED", b"QUEUED"])
        self.assertIsInstance(replies[3], ErrorReply)
        self.assertEqual(replies[4:], [b"QUEUED", [b"OK", b"v", 1]])

    def test_what_follows_exec_in_the_same_pipeline(self):
        client = self.connect()
        replies = client.pipeline([("MULTI",), ("SET", "k", 1), ("EXEC",), ("GET", "k"), ("EXEC",),
                                   ("MULTI",), ("DISCARD",), ("GET", "k")])
        self.assertEqual(replies[:4], [b"OK", b"QUEUED", [b"OK"], b"1"])
        self.assertEqual(replies[4], b"ERR EXEC without MULTI")
        self.assertEqual(replies[5:], [b"OK", b"OK", b"1"])

    def test_a_database_without_its_keys_is_no_other(self):
        watcher, other = self.connect(), self.connect()
        watcher.call("WATCH", "k")
        other.pipeline([("SELECT", 1), ("SET", "k", 1)])
        self.assertEqual(watcher.pipeline([("MULTI",), ("PING",), ("EXEC",)])[2], [b"PONG"])

    def test_fifty_thousand_keys_are_watched_at_once(self):
        watcher, other = self.connect(), self.connect()
        keys = [f"w:{number}" for number in range(50000)]
        self.assertEqual(watcher.call("WATCH", *keys), b"OK")
        other.call("SET", "unwatched", 1)
        before = self.server.cpu_seconds()
        for _ in range(3):
            other.pipeline([("SET", f"free:{number}", number) for number in range(1000)])
        self.assertLess(self.server.cpu_seconds() - before, 2)
        other.call("SET", "w:49999", 1)
        self.assertEqual(watcher.pipeline([("MULTI",), ("PING",), ("EXEC",)])[2], NULL_ARRAY)
        self.assertEqual(watcher.pipeline([("MULTI",), ("PING",), ("EXEC",)])[2], [b"PONG"])

    @only_aeris("the queue counts towards the limit since Redis 7.4")
    def test_a_queue_without_end_is_cut(self):
        server = self.start_server({"client-query-buffer-limit": "2mb"})
        client = self.connect(server)
        client.call("MULTI")
        with self.assertRaises((EOFError, OSError)):
            for number in range(1000):
                self.assertEqual(client.call("SET", f"k{number}", "x" * 10000), b"QUEUED")
        self.assertEqual(server.info()["client_query_buffer_limit_disconnections"], "1")
        self.assertLess(server.rss(), 200 << 20)
        self.assert_serves(server)

    def test_the_largest_transaction_is_closed_first(self):
        server = self.start_server({"maxmemory-clients": "2mb"})
        big, small = self.connect(server), self.connect(server)
        small.pipeline([("MULTI",), ("SET", "k", 1)])
        big.call("MULTI")
        with self.assertRaises((EOFError, OSError)):
            for number in range(1000):
                big.call("SET", f"k{number}", "x" * 10000)
        self.assertEqual(small.call("EXEC"), [b"OK"])

    def test_scripts_of_renamed_commands(self):
        config = "rename-command MULTI begin\nrename-command EXEC commit\n" \
                 "rename-command SET put\nrename-command DISCARD \"\"\nrename-command WATCH look\n"
        server = self.start_server(config=config)
        client = self.connect(server)
        self.assertEqual(client.pipeline([("begin",), ("put", "k", 1), ("GET", "k"), ("commit",)]),
                         [b"OK", b"QUEUED", b"QUEUED", [b"OK", b"1"]])
        self.assertEqual(client.call("look", "k"), b"OK")
        for old in ("MULTI", "EXEC", "DISCARD"):
            self.assertIsInstance(client.call(old), ErrorReply)
        # The old name is an unknown command, which ends a transaction like any other.
        replies = client.pipeline([("begin",), ("SET", "k", 2), ("commit",)])
        self.assertIn(b"unknown command", replies[1])
        self.assertTrue(replies[2].startswith(b"EXECABORT"))
        self.assertEqual(client.call("GET", "k"), b"1")


class Administration(ServerTest):
    """CLIENT KILL, PAUSE and SHUTDOWN while others wait, listen or queue."""
    shared_directives = {}

    def states(self, server=None):
        """Clients in all states, by name, each with its id."""
        clients = {name: self.connect(server) for name in
                   ("idle", "multi", "blocked", "timed", "subscribed", "paused", "monitor")}
        ids = {name: client.call("CLIENT", "ID") for name, client in clients.items()}
        clients["multi"].pipeline([("WATCH", "k"), ("MULTI",), ("SET", "k", 1)])
        clients["blocked"].send_command("BLPOP", "l", 0)
        clients["timed"].send_command("BLPOP", "l", 100)
        clients["subscribed"].call("SUBSCRIBE", "c")
        clients["monitor"].call("MONITOR")
        return clients, ids

    def wait_for_waiters(self, connection, count):
        self.wait_for(lambda: f"blocked_clients:{count}\r\n".encode() in
                      connection.call("INFO", "clients"), "clients to wait")

    def test_kill_in_every_state(self):
        clients, ids = self.states()
        admin = self.connect()
        self.wait_for_waiters(admin, 2)
        self.assertEqual(admin.call("CLIENT", "PAUSE", 100000, "WRITE"), b"OK")
        clients["paused"].send_command("SET", "k", 2)
        self.wait_for_waiters(admin, 3)
        for name, client in clients.items():
            with self.subTest(name=name):
                self.assertEqual(admin.call("CLIENT", "KILL", "ID", ids[name]), 1)
                self.assertEqual(admin.call("CLIENT", "KILL", "ID", ids[name]), 0)
                rest = client.read_to_end()
                self.assertTrue(rest == b"" or name == "monitor", rest)
        self.wait_for_waiters(admin, 0)
        admin.call("CLIENT", "UNPAUSE")
        self.assertEqual(admin.call("EXISTS", "k"), 0)
        self.assertEqual(admin.call("RPUSH", "l", 1), 1)
        self.assertEqual(admin.call("DEL", "l"), 1)

    def test_kill_by_every_filter(self):
        admin = self.connect()
        clients, ids = self.states()
        line = admin.call("CLIENT", "LIST", "ID", ids["blocked"]).decode()
        address = re.search(r" addr=(\S+)", line).group(1)
        local = re.search(r" laddr=(\S+)", line).group(1)
        kill = ("CLIENT", "KILL")
        self.assertEqual(admin.call(*kill, "TYPE", "pubsub"), 1)
        self.assertEqual(clients["subscribed"].read_to_end(), b"")
        self.assertEqual(admin.call(*kill, "ADDR", address, "LADDR", local, "USER", "default"), 1)
        self.assertEqual(clients["blocked"].read_to_end(), b"")
        self.assertEqual(admin.call(*kill, "ID", ids["multi"], "SKIPME", "yes", "TYPE", "normal"), 1)
        self.assertEqual(clients["multi"].read_to_end(), b"")
        self.assertEqual(admin.call(*kill, "TYPE", "master"), 0)
        self.assertEqual(admin.call(*kill, "ADDR", "1.2.3.4:5"), 0)
        own = admin.call("CLIENT", "ID")
        self.assertEqual(admin.call(*kill, "ID", own), 0)
        self.assertEqual(admin.call(*kill, "ID", own, "SKIPME", "no"), 1)
        admin.closed_by_peer()

    def test_kill_of_oneself_inside_a_transaction_comes_after_it(self):
        client, other = self.connect(), self.connect()
        own = client.call("CLIENT", "ID")
        client.pipeline([("MULTI",), ("SET", "self", 1), ("CLIENT", "KILL", "ID", own, "SKIPME", "no"),
                         ("SET", "self", 2)])
        client.send_command("EXEC")
        self.assertEqual(client.read_to_end(), b"*3\r\n+OK\r\n:1\r\n")
        self.assertEqual(other.call("GET", "self"), b"2")

    def test_a_pause_keeps_what_has_expired(self):
        client, admin = self.connect(), self.connect()
        expired = self.server.info()["expired_keys"]
        client.pipeline([("SET", "p1", 1, "PX", 20), ("SET", "p2", 1, "PX", 20)])
        admin.call("CLIENT", "PAUSE", 100000, "WRITE")
        self.wait_for(lambda: client.call("MGET", "p1", "p2") == [None, None], "the end of both")
        self.assertEqual(self.server.info()["expired_keys"], expired)
        admin.call("CLIENT", "UNPAUSE")
        self.wait_for(lambda: int(self.server.info()["expired_keys"]) == int(expired) + 2, "sweeps")

    def test_shutdown_while_others_wait(self):
        for options in ((), ("NOSAVE",), ("NOW",), ("NOSAVE", "NOW", "FORCE"), ("SAVE", "FORCE")):
            with self.subTest(options=options):
                server = self.start_server()
                clients, _ = self.states(server)
                admin = self.connect(server)
                self.wait_for_waiters(admin, 2)
                admin.call("CLIENT", "PAUSE", 100000, "WRITE")
                clients["paused"].send_command("SET", "k", 2)
                self.wait_for_waiters(admin, 3)
                admin.send_command("SHUTDOWN", *options)
                self.assertEqual(admin.read_to_end(), b"")
                self.assertEqual(server.process.wait(20), 0)
                for client in clients.values():
                    client.closed_by_peer()

    def test_shutdown_that_is_refused_changes_nothing(self):
        admin, blocked = self.connect(), self.connect()
        self.check_replies(admin, [
            ("SHUTDOWN ABORT", b"-ERR No shutdown in progress.\r\n"),
            ("SHUTDOWN ABORT NOW", b"-ERR syntax error\r\n"),
            ("SHUTDOWN SAVE NOSAVE", b"-ERR syntax error\r\n"),
            ("SHUTDOWN nosuch", b"-ERR syntax error\r\n"),
            ("MULTI", b"OK"),
            ("SHUTDOWN NOSAVE", b"-ERR Command not allowed inside a transaction\r\n"),
            ("DISCARD", b"OK"),
        ])
        blocked.send_command("BLPOP", "shutdown:l", 0)
        self.wait_for_waiters(admin, 1)
        self.assertEqual(admin.call("RPUSH", "shutdown:l", 1), 1)
        self.assertEqual(blocked.read_reply(), [b"shutdown:l", b"1"])
