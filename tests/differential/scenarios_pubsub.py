"""Several clients that subscribe and publish: what each of them receives, on both servers."""
import contextlib

# Requests in their order, each with the client that sends it: "a", "b" and "c" of RESP2, "x" and
# "y" of RESP3. All that each has received at the end is compared, byte for byte. What Redis does in
# the order of its tables (leaving several channels at once, several patterns that match) is left
# out.
STORIES = {
    "channels": ["a SUBSCRIBE news", "b SUBSCRIBE news other", "c PUBLISH news 1",
                 "c PUBLISH other 2", "c PUBLISH none 3", "b UNSUBSCRIBE news", "c PUBLISH news 4",
                 "c PUBSUB NUMSUB news other none"],
    "patterns": ["a PSUBSCRIBE n?ws", "b SUBSCRIBE news", "b PSUBSCRIBE n*", "c PUBLISH news 1",
                 "c PUBLISH nws 2", "c PUBSUB NUMPAT", "c PUBSUB CHANNELS", "a PUNSUBSCRIBE n?ws",
                 "c PUBLISH news 3", "c PUBSUB NUMPAT", "b PUNSUBSCRIBE", "c PUBLISH nws 4",
                 "c PUBSUB NUMPAT"],
    "one pattern, two clients": ["a PSUBSCRIBE *", "b PSUBSCRIBE *", "c PUBLISH x y",
                                 "c PUBSUB NUMPAT"],
    "an empty channel": ["a PSUBSCRIBE *", "b SUBSCRIBE \"\"", "c PUBLISH \"\" x",
                         "c PUBLISH x \"\"", "c PUBSUB CHANNELS *", "c PUBSUB CHANNELS \"\""],
    "shard channels": ["a SSUBSCRIBE s t s", "b SUBSCRIBE s", "c SPUBLISH s 1", "c PUBLISH s 2",
                       "c SPUBLISH none 3", "c PUBSUB SHARDCHANNELS s*", "c PUBSUB SHARDNUMSUB s t",
                       "c PUBSUB SHARDNUMSUB", "a SUNSUBSCRIBE t", "a SUNSUBSCRIBE s",
                       "a SUNSUBSCRIBE", "a PING"],
    "counts": ["a SUBSCRIBE c", "a PSUBSCRIBE p", "a SSUBSCRIBE s", "a SUBSCRIBE c d",
               "a UNSUBSCRIBE none", "a PUNSUBSCRIBE", "a PUNSUBSCRIBE", "a SUNSUBSCRIBE",
               "a UNSUBSCRIBE c", "a UNSUBSCRIBE", "a UNSUBSCRIBE", "a GET k"],
    "nothing to leave": ["a UNSUBSCRIBE", "a PUNSUBSCRIBE", "a SUNSUBSCRIBE", "a UNSUBSCRIBE a b",
                         "a PUNSUBSCRIBE a b", "a SUNSUBSCRIBE a b", "x UNSUBSCRIBE",
                         "x PUNSUBSCRIBE x", "x SUNSUBSCRIBE"],
    "what a subscriber may call": [
        "a SUBSCRIBE c", "a GET k", "a PING", "a PING x", "a PING x y", "a PUBLISH c x", "a ECHO x",
        "a CLIENT ID", "a CLIENT foo", "a PUBSUB CHANNELS", "a HELLO 3", "a foo", "a GET",
        "a UNSUBSCRIBE c", "a PING", "a GET k"],
    "of patterns": ["a PSUBSCRIBE c", "a GET k", "a PUNSUBSCRIBE", "a GET k"],
    "of shard channels": ["a SSUBSCRIBE c", "a GET k", "a PING", "a SUBSCRIBE d",
                          "a UNSUBSCRIBE d", "a GET k", "a SUNSUBSCRIBE c", "a GET k"],
    "RESP3": ["x SUBSCRIBE c", "x GET k", "x PING", "x PING y", "x PSUBSCRIBE c*", "y PUBLISH c 1",
              "x SSUBSCRIBE c", "y SPUBLISH c 2", "x GET k", "x UNSUBSCRIBE",
              "x PUNSUBSCRIBE", "x SUNSUBSCRIBE", "x GET k"],
    "both protocols": ["a SUBSCRIBE c", "x SUBSCRIBE c", "b PUBLISH c 1", "y PUBLISH c 2",
                       "b PUBSUB NUMSUB c"],
    "RESET": ["a SUBSCRIBE c", "a PSUBSCRIBE c", "a SSUBSCRIBE c", "a RESET", "b PUBLISH c x",
              "b SPUBLISH c x", "b PUBSUB NUMPAT", "b PUBSUB CHANNELS", "a GET k", "x SUBSCRIBE c",
              "x RESET", "b PUBLISH c x", "x GET k"],
    "QUIT": ["a SUBSCRIBE c", "a QUIT"],
    "KILL": ["a SUBSCRIBE c", "b PSUBSCRIBE c", "x SSUBSCRIBE c", "c CLIENT KILL TYPE pubsub",
             "c PUBLISH c x", "c PUBSUB CHANNELS", "c PUBSUB NUMPAT", "c PUBSUB SHARDCHANNELS"],
    "no replies": ["a CLIENT REPLY OFF", "a SUBSCRIBE c", "a PSUBSCRIBE p", "b PUBLISH c 1",
                   "b PUBLISH p 2", "a UNSUBSCRIBE c", "a PUNSUBSCRIBE p", "a CLIENT REPLY ON",
                   "x CLIENT REPLY SKIP", "x SUBSCRIBE c", "b PUBLISH c 3", "x PING"],
    "wrong": ["a SUBSCRIBE", "a PSUBSCRIBE", "a SSUBSCRIBE", "a PUBLISH", "a PUBLISH c",
              "a PUBLISH c m x", "a SPUBLISH c", "a PUBSUB", "a PUBSUB foo", "a PUBSUB CHANNELS a b",
              "a PUBSUB NUMPAT x", "a PUBSUB NUMSUB", "a PUBSUB SHARDCHANNELS a b"],
    "databases": ["a SELECT 3", "a SUBSCRIBE c", "b PUBLISH c x"],
    "help": ["a PUBSUB HELP", "a PUBSUB HELP x"],
    "events": ["c CONFIG SET notify-keyspace-events KEA", "a PSUBSCRIBE __key*__:*",
               "b SUBSCRIBE __keyspace@3__:k", "c SELECT 3", "c SET k v EX 100", "c RENAME k l",
               "c DEL l none", "c CONFIG SET notify-keyspace-events Kg", "c SET k v", "c DEL k",
               "c CONFIG SET notify-keyspace-events \"\"", "c SET k v", "c DEL k"],
    "events of a class without a kind": [
        "c CONFIG SET notify-keyspace-events A", "a PSUBSCRIBE *", "c SET k v", "c DEL k",
        "c CONFIG SET notify-keyspace-events KE", "c SET k v", "c DEL k",
        "c CONFIG SET notify-keyspace-events \"\""],
}


def story(side, requests):
    with contextlib.ExitStack() as stack:
        clients = {}
        for name in "abcxy":
            clients[name] = stack.enter_context(side.server.connect(timeout=20))
            if name in "xy":
                clients[name].call("HELLO", "3")
        clients["c"].call("FLUSHALL")
        received = {name: [] for name in clients}
        for request in requests:
            name, *words = request.split()
            client = clients[name]
            client.send_command(*(word.replace('""', "") for word in words))
            # Until it has been run: a request of another client.
            clients["y"].send_command("ECHO", "done")
            while (reply := clients["y"].read_raw()) != b"$4\r\ndone\r\n":
                received["y"].append(reply)
        for name, client in clients.items():
            received[name].append(rest(client))
        return {name: b"".join(replies) for name, replies in received.items()}


def rest(client):
    """All that is there, up to the answer to a last request, or to the end."""
    received = []
    mark = b"the end of what it has received"
    try:
        client.send_command("PING", mark)
        while mark not in (reply := client.read_raw()):
            received.append(reply)
    except (EOFError, OSError):
        received.append(b"(closed)")
    return b"".join(received)


def difference(pair):
    """The first story whose ends differ, with both; None if there is none."""
    for name, requests in STORIES.items():
        ours, theirs = (story(side, requests) for side in (pair.ours, pair.theirs))
        if ours != theirs:
            return name, ours, theirs
    return None
