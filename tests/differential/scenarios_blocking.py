"""Several clients that wait for keys: who gets what, in which order, on both servers."""
import contextlib
import time

# The requests of clients that wait, one client each, then those of one that writes, and before all
# of them what it prepares. What each client has received at the end is compared; "ERROR" is sent as
# CLIENT UNBLOCK to who still waits.
GROUP = ["XGROUP CREATE s g $ MKSTREAM"]
OF_GROUP = ["XREADGROUP GROUP g c BLOCK 0 STREAMS s >"]
STREAM_ELSEWHERE = ["XADD z 1-1 a b", "XGROUP CREATE z g 0"]
NOBODY_WAITS = "(nobody waits)"  # not sent: what comes next, comes when all are served
EXPIRED = ["PEXPIRE s 1", "DEBUG SLEEP 0.01"]
LAZY, ACTIVE = ["DEBUG SET-ACTIVE-EXPIRE 0"], ["DEBUG SET-ACTIVE-EXPIRE 1"]
STORIES = {
    "order of arrival": (["BLPOP a 0", "BLPOP a 0", "BRPOP a 0", "BLPOP a 0"], ["RPUSH a 1 2 3"]),
    "order of writing": (["BLPOP a b 0", "BLPOP b a 0"], ["RPUSH b x", "RPUSH a y"]),
    "a chain": (["BLMOVE a b LEFT RIGHT 0", "BLMOVE b c LEFT RIGHT 0", "BLPOP c 0"],
                ["RPUSH a 1"]),
    "a circle": (["BRPOPLPUSH a b 0", "BRPOPLPUSH b a 0"],
                 ["RPUSH a 1", "LRANGE a 0 -1", "LRANGE b 0 -1"]),
    "to itself": (["BRPOPLPUSH a a 0", "BLPOP a 0"], ["RPUSH a 1", "LRANGE a 0 -1"]),
    "a wrong destination": (["BLMOVE a text LEFT RIGHT 0", "BLPOP a 0"],
                            ["SET text x", "RPUSH a 1 2"]),
    "several items": (["BLMPOP 0 2 a b LEFT COUNT 2", "BLMPOP 0 2 b a RIGHT COUNT 5"],
                      ["RPUSH a 1 2 3 4 5 6"]),
    "one key twice": (["BLPOP a a 0"], ["LPUSH a 1", "LPUSH a 2", "LLEN a"]),
    "another type": (["BLPOP a 0"], ["SET a x", "DEL a", "APPEND a y", "GET a"]),
    "renamed": (["BLPOP a 0"], ["SET a x", "RPUSH z 1", "RENAME z a"]),
    "copied": (["BLPOP a 0"], ["SET a x", "RPUSH z 1", "COPY z a REPLACE"]),
    "moved": (["BLPOP a 0"], ["SELECT 1", "RPUSH a 1", "MOVE a 0", "SELECT 0"]),
    "swapped": (["BLPOP a 0"], ["SELECT 1", "RPUSH a 1", "SELECT 0", "SWAPDB 0 1"]),
    "only if it exists": (["BLPOP a 0"], ["RPUSHX a 1", "RPUSH a 2"]),
    "a timeout": (["BLPOP a 0.05", "BLMOVE a b LEFT LEFT 0.05"], ["PING"]),
    "a stream expires": (OF_GROUP * 2, ["PEXPIRE s 20", NOBODY_WAITS], GROUP),
    "an expired stream is read": (OF_GROUP, EXPIRED + ["EXISTS s"] + ACTIVE, GROUP + LAZY),
    "an expired stream is in the way": (OF_GROUP, EXPIRED + ["LPUSH s 1"] + ACTIVE, GROUP + LAZY),
    "an expired stream is added to": (OF_GROUP, EXPIRED + ["XADD s 1-1 a b"] + ACTIVE,
                                      GROUP + LAZY),
    "an expired stream is waited for": (OF_GROUP, EXPIRED + ["BLPOP s 0.001"] + ACTIVE,
                                        GROUP + LAZY),
    "a stream without a group is not missed": (
        ["XREAD BLOCK 0 STREAMS s $"], ["PEXPIRE s 20", "DEBUG SLEEP 0.1", "XADD s 1-1 a b"],
        GROUP),
    "one of two streams goes": (["XREADGROUP GROUP g c BLOCK 0 STREAMS s t > >"], ["DEL t"],
                                GROUP + ["XGROUP CREATE t g $ MKSTREAM"]),
    "a group goes": (OF_GROUP, ["XGROUP DESTROY s g"], GROUP),
    "another group goes": (OF_GROUP, ["XGROUP DESTROY s h"], GROUP + ["XGROUP CREATE s h $"]),
    "a consumer goes": (OF_GROUP, ["XGROUP DELCONSUMER s g c"], GROUP),
    # Nobody is woken before the next entry comes.
    "a group goes back": (OF_GROUP, ["XGROUP SETID s g 0"], ["XADD s 1-1 a b"] + GROUP),
    "a group goes back, then an entry comes": (
        OF_GROUP, ["XGROUP SETID s g 0", "XADD s 2-1 a b"], ["XADD s 1-1 a b"] + GROUP),
    "the last id goes up": (OF_GROUP, ["XSETID s 5-5"], GROUP),
    "renamed to a stream without the group": (OF_GROUP, ["XADD z 1-1 a b", "RENAME z s"], GROUP),
    "renamed to a stream without entries": (
        OF_GROUP, ["XGROUP CREATE z g $ MKSTREAM", "RENAME z s"], GROUP),
    "renamed to a stream with entries": (OF_GROUP, STREAM_ELSEWHERE + ["RENAME z s"], GROUP),
    "copied to a stream with entries": (OF_GROUP, STREAM_ELSEWHERE + ["COPY z s REPLACE"], GROUP),
    "swapped for a text": (OF_GROUP, ["SELECT 1", "SET s x", "SELECT 0", "SWAPDB 0 1"], GROUP),
    "swapped for nothing": (OF_GROUP, ["SWAPDB 1 0"], GROUP),
    "swapped for a stream with entries": (
        OF_GROUP, ["SELECT 1", "XADD s 1-1 a b", "XGROUP CREATE s g 0", "SELECT 0", "SWAPDB 0 1"],
        GROUP),
    **{f"a stream, then {act}": (OF_GROUP, [act], GROUP + ["SADD z 1", "ZADD y 1 1", "SET x 1"])
       for act in ("DEL s", "UNLINK s", "FLUSHALL ASYNC", "FLUSHDB", "SET s x", "MSET s 1 t 2",
                   "RENAME s u", "RENAME z s", "MOVE s 1", "COPY z s REPLACE", "EXPIRE s -1",
                   "PEXPIREAT s 1", "SUNIONSTORE s z", "SUNIONSTORE s none", "BITOP NOT s x",
                   "BITOP NOT s none", "SORT z STORE s", "SORT none STORE s", "ZUNIONSTORE s 1 y",
                   "ZRANGESTORE s y 0 -1", "SETRANGE s 0 x", "PFMERGE s none", "GETDEL s",
                   "GETSET s x", "SETNX s x", "XTRIM s MAXLEN 0", "XDEL s 1-1")},
}


def blocked_clients(side):
    with side.server.connect(timeout=20) as watcher:
        text = watcher.call("INFO", "clients")
    return int(text.split(b"blocked_clients:")[1].split(b"\r\n")[0])


def wait_for_blocked(side, count):
    end = time.monotonic() + 10
    while blocked_clients(side) != count:
        assert time.monotonic() < end, "clients do not block"
        time.sleep(0.002)


def story(side, waits, writes, before=()):
    with contextlib.ExitStack() as stack:
        connect = lambda: stack.enter_context(side.server.connect(timeout=20))  # noqa: E731
        writer = connect()
        writer.call("FLUSHALL")
        for request in before:
            writer.call(*request.split())
        clients = []
        for number, request in enumerate(waits):
            client = connect()
            identity = client.call("CLIENT", "ID")
            client.send_command(*request.split())
            # What comes behind waits as well.
            client.send_command("ECHO", f"behind {number}")
            if not request.endswith("0.05"):
                wait_for_blocked(side, number + 1)
            clients.append((identity, client))
        results = []
        for request in writes:
            if request is NOBODY_WAITS:
                wait_for_blocked(side, 0)
            else:
                results.append(writer.raw(*request.split()))
        for identity, client in clients:
            if not waits[0].endswith("0.05"):
                results.append(writer.call("CLIENT", "UNBLOCK", identity, "ERROR"))
            results.append(client.read_raw())
            results.append(client.read_raw())
        results.append(writer.call("DBSIZE"))
        return results


def difference(pair):
    """The first story whose ends differ, with both; None if there is none."""
    for name, acts in STORIES.items():
        ours, theirs = (story(side, *acts) for side in (pair.ours, pair.theirs))
        if ours != theirs:
            return name, ours, theirs
    return None
