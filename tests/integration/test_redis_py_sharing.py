"""redis-py where clients work together: locks, rate limits, messages, its local cache."""
import threading
import time
import unittest

import redis
from redis.exceptions import LockError, LockNotOwnedError
from redis.lock import Lock

from redis_py_case import RedisPyTest


class TransactionLock(Lock):
    """redis-py's lock with a release that needs no script: WATCH, MULTI, DEL, EXEC."""

    def do_release(self, expected_token):
        def release(pipeline):
            if pipeline.get(self.name) != expected_token:
                raise LockNotOwnedError("Cannot release a lock that's no longer owned")
            pipeline.multi()
            pipeline.delete(self.name)
        self.redis.transaction(release, self.name)


class Sharing(RedisPyTest):
    def in_threads(self, count, work):
        """Runs work(client, number) in so many threads, each with a client; raises what they do."""
        failures = []

        def run(number):
            try:
                work(self.client(), number)
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)
        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def test_a_lock_is_held_by_one(self):
        rounds = 10 if self.light else 50

        def count(client, _):
            for _ in range(rounds):
                with TransactionLock(client, "lock", timeout=60, sleep=0.001):
                    # Not atomic: two at once would lose one.
                    number = int(client.get("counter") or 0)
                    client.set("counter", number + 1)
        self.in_threads(8, count)
        self.assertEqual(int(self.redis.get("counter")), 8 * rounds)
        self.assertEqual(self.redis.exists("lock"), 0)

    def test_a_lock_that_expires(self):
        first = TransactionLock(self.redis, "lock", timeout=0.2)
        second = TransactionLock(self.client(), "lock", timeout=60, sleep=0.01)
        self.assertTrue(first.acquire(blocking=False))
        self.assertTrue(first.owned())
        self.assertFalse(second.acquire(blocking=False))
        self.assertTrue(second.acquire(blocking=True, blocking_timeout=20))
        self.assertFalse(first.owned())
        self.assertTrue(first.locked())
        with self.assertRaises(LockNotOwnedError):
            first.release()
        self.assertTrue(second.owned())
        second.release()
        with self.assertRaises(LockError):
            second.release()
        self.assertFalse(second.locked())

    def test_a_lock_that_changes_hands_is_not_released(self):
        """Between the look and the release: EXEC finds that the watched key has changed."""
        lock = TransactionLock(self.redis, "lock", timeout=60)
        lock.acquire()
        stolen = []

        def release(pipeline):
            if pipeline.get("lock") != lock.local.token:
                raise LockNotOwnedError()
            if not stolen:
                stolen.append(self.client().set("lock", "somebody else"))
            pipeline.multi()
            pipeline.delete("lock")
        with self.assertRaises(LockNotOwnedError):
            self.redis.transaction(release, "lock")
        self.assertEqual(self.redis.get("lock"), b"somebody else")

    def test_a_rate_limit(self):
        allowed = []

        def knock(client, _):
            for _ in range(50):
                # A pipeline of redis-py is a transaction.
                count, begun, left = (client.pipeline().incr("limit")
                                      .execute_command("EXPIRE", "limit", 60, "NX")
                                      .ttl("limit").execute())
                self.assertEqual(begun, 1 if count == 1 else 0)
                self.assertTrue(0 < left <= 60)
                if count <= 100:
                    allowed.append(count)
        self.in_threads(4, knock)
        self.assertEqual(sorted(allowed), list(range(1, 101)))
        self.assertEqual(self.redis.get("limit"), b"200")

    def test_a_subscriber_comes_back_when_it_is_killed(self):
        subscriber = self.client().pubsub()
        self.addCleanup(subscriber.close)
        subscriber.subscribe("news")
        subscriber.psubscribe("user:*")

        def messages(count):
            got = []
            deadline = time.monotonic() + 20
            while len(got) < count and time.monotonic() < deadline:
                try:
                    message = subscriber.get_message(timeout=1)
                except redis.ConnectionError:
                    continue
                if message and message["type"] in ("message", "pmessage"):
                    got.append((message["channel"], message["data"]))
            return got

        def listening():
            # What it reads meanwhile makes it connect again.
            self.assertEqual(messages_now(), [])
            return (self.redis.pubsub_numsub("news"), self.redis.pubsub_numpat()) == \
                ([(b"news", 1)], 1)

        def messages_now():
            try:
                message = subscriber.get_message(timeout=0.01)
            except redis.ConnectionError:
                return []
            return [message] if message and message["type"].endswith("message") else []

        for _ in range(3):
            self.wait_for(listening, "the subscriptions")
            for i in range(20):
                self.assertEqual(self.redis.publish("news", i), 1)
                self.assertEqual(self.redis.publish(f"user:{i}", i), 1)
            expected = [pair for i in range(20) for pair in
                        ((b"news", b"%d" % i), (b"user:%d" % i, b"%d" % i))]
            self.assertEqual(messages(40), expected)
            (one,) = self.redis.client_list(_type="pubsub")
            self.redis.client_kill_filter(_id=one["id"])
            self.wait_for(lambda: self.redis.pubsub_numsub("news") == [(b"news", 0)] or
                          self.redis.client_list(_type="pubsub") != [one], "it to be gone")

    @unittest.skipUnless(int(redis.__version__.split(".", maxsplit=1)[0]) >= 6,
                         "redis-py has a local cache from 5.1 on; Debian 12 has 4.3")
    def test_its_local_cache(self):
        from redis.cache import CacheConfig  # pylint: disable=import-outside-toplevel
        reader = self.client(protocol=3, cache_config=CacheConfig(max_size=1000))
        cache = reader.get_cache()
        for number in range(100):
            self.redis.set("k", number)
            reader.ping()  # hears of it
            self.assertEqual(reader.get("k"), b"%d" % number)
            self.assertEqual(cache.size, 1)
            calls = self.redis.info("commandstats")["cmdstat_get"]["calls"]
            self.assertEqual(reader.get("k"), b"%d" % number)
            self.assertEqual(self.redis.info("commandstats")["cmdstat_get"]["calls"], calls)
        self.redis.flushall()
        reader.ping()
        self.assertIsNone(reader.get("k"))
        self.redis.psetex("k", 50, "x")
        reader.ping()
        self.assertEqual(reader.get("k"), b"x")
        self.wait_for(lambda: reader.ping() and reader.get("k") is None, "the key to expire")
