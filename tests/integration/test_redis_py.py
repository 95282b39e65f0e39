"""redis-py as Debian ships it."""
import threading

import redis

from redis_py_case import RedisPyTest


class RedisPy(RedisPyTest):
    def test_strings_as_a_cache_uses_them(self):
        self.assertTrue(self.redis.set("k", "v", ex=100))
        self.assertEqual(self.redis.get("k"), b"v")
        self.assertIn(self.redis.ttl("k"), (99, 100))
        self.assertIsNone(self.redis.set("k", "w", nx=True))
        self.assertEqual(self.redis.set("k", "w", xx=True, get=True), b"v")
        self.assertEqual(self.redis.getex("k", persist=True), b"w")
        self.assertEqual(self.redis.ttl("k"), -1)
        self.assertEqual(self.redis.incrby("n", 5), 5)
        self.assertEqual(self.redis.incrbyfloat("f", 1.5), 1.5)
        self.assertTrue(self.redis.mset({"a": 1, "b": 2}))
        self.assertEqual(self.redis.mget("a", "none", "b"), [b"1", None, b"2"])
        self.assertEqual(self.redis.delete("a", "b", "none"), 2)
        self.assertEqual(self.redis.getdel("n"), b"5")
        self.assertEqual(self.redis.lcs("x", "y") if hasattr(self.redis, "lcs") else b"", b"")
        self.assertEqual(self.redis.bitfield("bits").set("u8", 0, 255).get("u4", 2).execute(),
                         [0, 15])

    def test_pipelines_without_transactions(self):
        pipeline = self.redis.pipeline(transaction=False)
        for index in range(5000):
            pipeline.set(f"key:{index}", index)
        self.assertEqual(pipeline.execute(), [True] * 5000)
        for index in range(5000):
            pipeline.get(f"key:{index}")
        self.assertEqual(pipeline.execute(), [b"%d" % index for index in range(5000)])

    def test_errors_in_a_pipeline_are_at_their_place(self):
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.set("k", "text").incr("k").get("k")
        results = pipeline.execute(raise_on_error=False)
        self.assertEqual([results[0], results[2]], [True, b"text"])
        self.assertIsInstance(results[1], redis.ResponseError)
        self.assertEqual(str(results[1]), "value is not an integer or out of range")

    def test_decoded_responses(self):
        client = self.client(decode_responses=True)
        client.set("schlüssel", "wert €")
        self.assertEqual(client.get("schlüssel"), "wert €")
        self.assertEqual(client.keys("schl*"), ["schlüssel"])

    def test_values_from_one_byte_to_64_megabytes(self):
        generator = self.seeded_random()
        sizes = [0, 1, 2, 44, 45, 63, 64, 1000, 1023, 1024, 4095, 16383, 16384, 32767, 32768, 65536,
                 262144, 1048575, 1048576, 4194304]
        sizes += [] if self.light else [16777216, 67108864]
        for size in sizes:
            with self.subTest(size=size):
                value = generator.randbytes(size)
                self.redis.set("big", value)
                self.assertEqual(self.redis.strlen("big"), size)
                self.assertTrue(self.redis.get("big") == value)
        self.redis.delete("big")

    def test_binary_keys_and_values(self):
        every_byte = bytes(range(256))
        self.redis.set(every_byte, every_byte * 3)
        self.assertEqual(self.redis.get(every_byte), every_byte * 3)
        self.assertEqual(self.redis.keys(), [every_byte])
        self.assertEqual(self.redis.dump(every_byte) is not None, True)

    def test_reconnects_after_a_restart(self):
        server = self.start_server()
        client = self.client(server)
        client.set("k", "v")
        server.restart()
        try:
            client.ping()
        except redis.ConnectionError:
            pass  # the first use may find the old connection broken
        self.assertTrue(client.ping())
        client.set("k", "w")
        self.assertEqual(client.get("k"), b"w")

    def test_health_checks(self):
        client = self.client(health_check_interval=1)
        connection = client.connection_pool.get_connection("PING")
        connection.next_health_check = 1.0  # overdue
        client.connection_pool.release(connection)
        self.assertTrue(client.set("k", "v"))
        self.assertEqual(client.get("k"), b"v")

    def test_protocol_errors_reach_the_application(self):
        for command in (("GET",), ("SET", "k"), ("NOSUCH", "x"), ("SET", "k", "v", "EX", "x")):
            with self.assertRaises(redis.ResponseError):
                self.redis.execute_command(*command)
        self.assertTrue(self.redis.ping())

    def test_scan_iter_gives_every_key_once(self):
        expected = {b"key:%d" % index for index in range(3000)}
        self.redis.mset({name: 1 for name in expected})
        found = list(self.redis.scan_iter(count=100))
        self.assertEqual(set(found), expected)
        self.assertEqual(set(self.redis.scan_iter(match="key:1?")),
                         {b"key:%d" % index for index in range(10, 20)})
        self.assertEqual(list(self.redis.scan_iter(_type="list")), [])

    def test_client_list_and_names(self):
        self.redis.client_setname("tester")
        mine = [each for each in self.redis.client_list() if each["name"] == "tester"]
        self.assertEqual(len(mine), 1)
        self.assertEqual(mine[0]["cmd"], "client|list")
        self.assertEqual(int(mine[0]["id"]), self.redis.client_id())
        self.assertEqual(self.redis.client_info()["name"], "tester")

    def test_info_is_parsed(self):
        self.redis.set("k", "v", ex=100)
        info = self.redis.info()
        self.assertEqual(info["db0"]["keys"], 1)
        self.assertEqual(info["db0"]["expires"], 1)
        self.assertGreater(info["used_memory"], 0)
        self.assertEqual(info["tcp_port"], self.server.port)
        self.assertEqual(info["role"], "master")
        self.assertIn("uptime_in_seconds", info)
        self.assertIn("cmdstat_set", self.redis.info("commandstats"))
        self.assertEqual(self.redis.info("commandstats")["cmdstat_set"]["calls"] >= 1, True)

    def test_config_and_administration(self):
        self.assertEqual(self.redis.config_get("maxmemory*")["maxmemory-policy"], "noeviction")
        self.assertTrue(self.redis.config_set("hz", 20))
        self.assertEqual(self.redis.config_get("hz"), {"hz": "20"})
        self.assertTrue(self.redis.config_set("hz", 10))
        self.assertEqual(self.redis.dbsize(), 0)
        self.assertEqual(len(self.redis.time()), 2)
        self.assertEqual(self.redis.slowlog_len() >= 0, True)
        self.assertIn("get", self.redis.command())
        self.assertEqual(self.redis.command()["get"]["arity"], 2)
        self.assertEqual(self.redis.command_getkeys("MSET", "a", 1, "b", 2), ["a", "b"])

    def test_databases_are_separate(self):
        other = self.client(db=5)
        self.redis.set("k", 0)
        other.set("k", 5)
        self.assertEqual((self.redis.get("k"), other.get("k")), (b"0", b"5"))
        self.redis.swapdb(0, 5)
        self.assertEqual((self.redis.get("k"), other.get("k")), (b"5", b"0"))

    def test_password_and_name_of_a_url(self):
        server = self.start_server({"requirepass": "s3cret"})
        client = redis.Redis.from_url(f"redis://default:s3cret@127.0.0.1:{server.port}/2",
                                      client_name="by-url")
        self.addCleanup(client.close)
        self.assertTrue(client.set("k", "v"))
        self.assertEqual(client.client_getname(), "by-url")
        with self.assertRaisesRegex(redis.RedisError, "WRONGPASS|invalid username-password"):
            self.client(server, password="wrong").ping()
        with self.assertRaisesRegex(redis.RedisError, "Authentication required"):
            self.client(server).ping()

    def test_unix_socket(self):
        server = self.new_server()
        server.directives["unixsocket"] = server.path("redis.sock")
        server.start()
        client = redis.Redis(unix_socket_path=server.path("redis.sock"))
        self.addCleanup(client.close)
        self.assertTrue(client.set("k", "v"))

    def test_monitor(self):
        with self.redis.monitor() as monitor:
            self.client().set("watched", "v\r\n")
            while True:
                line = monitor.next_command()
                if line["command"].startswith("SET"):
                    break
        self.assertEqual(line["command"], "SET watched v\\r\\n")
        self.assertEqual(line["db"], 0)

    def test_many_threads_share_a_pool(self):
        failures = []

        def work(number):
            try:
                for index in range(200):
                    self.redis.set(f"t:{number}", index)
                    if int(self.redis.get(f"t:{number}")) != index:
                        failures.append((number, index))
            except redis.RedisError as error:
                failures.append(error)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_locks_of_get_and_set_nx(self):
        first = self.redis.set("lock", "one", nx=True, px=60000)
        second = self.redis.set("lock", "two", nx=True, px=60000)
        self.assertEqual((first, second), (True, None))
