"""Several clients that wait for keys: who gets what, in which order, on both servers."""
import contextlib
import time

# The requests of clients that wait, one client each, then those of one that writes. What each
# client has received at the end is compared; "ERROR" is sent as CLIENT UNBLOCK to who still waits.
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


def story(side, waits, writes):
    with contextlib.ExitStack() as stack:
        connect = lambda: stack.enter_context(side.server.connect(timeout=20))  # noqa: E731
        writer = connect()
        writer.call("FLUSHALL")
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
        results = [writer.raw(*request.split()) for request in writes]
        for identity, client in clients:
            if not waits[0].endswith("0.05"):
                results.append(writer.call("CLIENT", "UNBLOCK", identity, "ERROR"))
            results.append(client.read_raw())
            results.append(client.read_raw())
        results.append(writer.call("DBSIZE"))
        return results


def difference(pair):
    """The first story whose ends differ, with both; None if there is none."""
    for name, (waits, writes) in STORIES.items():
        ours, theirs = (story(side, waits, writes) for side in (pair.ours, pair.theirs))
        if ours != theirs:
            return name, ours, theirs
    return None
