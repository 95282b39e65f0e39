"""Client-side caching: what several clients are told of one another's keys, on both servers."""
import contextlib
import re

from scenarios_pubsub import rest

# Requests in their order, each with the client that sends it: "a", "b" and "c" of RESP2, "x", "y"
# and "z" of RESP3. $A is the id of "a". All that each has received at the end is compared, byte for
# byte. Left out is what is known to differ (client_tracking.h): keys read before tracking was
# switched off and on, messages in the middle of a reply, a flush between two protocols, changes of
# a stream's groups.
STORIES = {
    "to oneself": ["x CLIENT TRACKING ON", "x GET k", "x MGET k l", "c SET k 1", "c SET k 2",
                   "c DEL l", "c SET m 1", "x GET k", "x SET k 2", "x GET k", "x APPEND k x"],
    "RESP2 without a redirection": ["a CLIENT TRACKING ON", "a GET k", "c SET k 1", "a HELLO 3",
                                    "c SET k 2", "a GET k", "c SET k 3", "a GET k", "a HELLO 2",
                                    "c SET k 4"],
    "redirected to a subscriber": [
        "b SUBSCRIBE __redis__:invalidate", "a CLIENT TRACKING ON REDIRECT $B", "a GET k",
        "c SET k 1", "a GET k", "c DEL k", "a GET k", "c FLUSHALL", "a CLIENT GETREDIR",
        "a CLIENT TRACKINGINFO"],
    "redirected to a subscriber of something else": [
        "b SUBSCRIBE other", "a CLIENT TRACKING ON REDIRECT $B", "a GET k", "c SET k 1"],
    "redirected to nobody": ["a CLIENT TRACKING ON REDIRECT $B", "a GET k", "c SET k 1"],
    "redirected to RESP3": ["a CLIENT TRACKING ON REDIRECT $Y", "a GET k", "c SET k 1", "a GET k",
                            "a SET k 2", "x CLIENT TRACKING ON REDIRECT $Y", "x GET k", "c DEL k"],
    "redirected to oneself": ["x CLIENT TRACKING ON REDIRECT $X", "x GET k", "c SET k 1",
                              "x GET k", "x SET k 2", "c FLUSHALL"],
    "two to one": ["a CLIENT TRACKING ON REDIRECT $Y", "b CLIENT TRACKING ON REDIRECT $Y",
                   "a GET k", "b GET k", "c SET k 1", "a GET k", "b GET l", "c SET l 1",
                   "c SET k 2"],
    "a redirection that breaks": [
        "x CLIENT TRACKING ON REDIRECT $B", "x GET k", "b QUIT", "c PING", "c SET k 1",
        "x CLIENT TRACKINGINFO", "x GET k", "c SET k 1", "x CLIENT TRACKING ON",
        "x CLIENT TRACKINGINFO"],
    "of RESP2": ["a CLIENT TRACKING ON REDIRECT $B", "a GET k", "b QUIT", "c PING", "c SET k 1",
                 "a CLIENT TRACKINGINFO"],
    "which keys": [
        "x CLIENT TRACKING ON", "x LRANGE l 0 -1", "x SINTER s t", "x SINTERCARD 2 s u",
        "x ZUNION 2 z w WITHSCORES", "x XREAD STREAMS st 0", "x XRANGE sr - +", "x OBJECT ENCODING o",
        "x EXISTS e1 e2", "x TYPE ty", "x TTL tt", "x GETRANGE gr 0 1", "x STRLEN sl", "x HGET h f",
        "x BITCOUNT bc", "x PFCOUNT p1 p2", "x GEOPOS ge m", "x SORT_RO so", "x DUMP du",
        "x RANDOMKEY", "x DBSIZE", "x SCAN 0", "x KEYS *", "x TOUCH to", "x MEMORY USAGE mu",
        "x LCS lc1 lc2", "x SUBSTR su 0 1", "x GETEX gx", "x GETDEL gd", "x LLEN",
        "c RPUSH l 1", "c SADD s 1", "c SADD t 1", "c SADD u 1", "c ZADD z 1 a", "c ZADD w 1 a",
        "c XADD st 1-1 f v", "c XADD sr 1-1 f v", "c SET o 1", "c SET e1 1", "c SET e2 1",
        "c SET ty 1", "c SET tt 1", "c SET gr 1", "c SET sl 1", "c HSET h f 1", "c SETBIT bc 1 1",
        "c PFADD p1 a", "c PFADD p2 a", "c GEOADD ge 1 1 m", "c RPUSH so 1", "c SET du 1",
        "c SET to 1", "c SET mu 1", "c SET lc1 1", "c SET lc2 1", "c SET su 1", "c SET gx 1",
        "c SET gd 1"],
    "of a wrong type": ["c RPUSH l 1", "x CLIENT TRACKING ON", "x GET l", "c RPUSH l 2"],
    "in any database": ["x CLIENT TRACKING ON", "x SELECT 1", "x GET k", "c SET k 1", "c SELECT 2",
                        "x GET k", "c SET k 2", "x GET k", "c FLUSHDB", "x GET k", "c SWAPDB 1 2",
                        "c SET k 3"],
    "how keys change": [
        "x CLIENT TRACKING ON BCAST", "c SET a 1 EX 100", "c RENAME a b", "c COPY b c", "c MOVE c 3",
        "c PERSIST b", "c EXPIRE b 100", "c EXPIRE b -1", "c HSET h f 1 g 2", "c HDEL h f g",
        "c RPUSH l 1 2", "c LPOP l 2", "c LMOVE l m LEFT RIGHT", "c SADD s 1 2", "c SMOVE s t 1",
        "c SPOP s", "c ZADD z 1 a 2 b", "c ZADD z 1 a", "c ZINCRBY z 1 a", "c ZPOPMIN z 2",
        "c SINTERSTORE s2 t none", "c SUNIONSTORE s2 t", "c SORT t STORE so", "c XADD st 1-1 f v",
        "c XADD st 2-1 f v", "c XTRIM st MAXLEN 1", "c XDEL st 1-1", "c XDEL st 2-1",
        "c PFADD p a", "c PFCOUNT p", "c PFCOUNT p", "c PFADD p a",
        "c PFMERGE q p", "c SETBIT b1 1 1", "c BITOP NOT b2 b1", "c BITFIELD b3 SET u8 0 1",
        "c SETRANGE sr 1 x", "c GETDEL sr", "c GETEX b1 EX 10", "c INCRBYFLOAT f 1.5",
        "c GEOADD ge 1 1 m", "c GEOSEARCHSTORE gs ge FROMMEMBER m BYRADIUS 1 m", "c MSET m1 1 m2 2",
        "c MSETNX m1 1 m3 1", "c MSETNX m4 1", "c DEL none", "c DEL m1 m2 none", "c UNLINK m4",
        "c LSET m 0 x", "c LINSERT m BEFORE x y", "c LREM m 0 x", "c LREM m 0 none",
        "c LTRIM m 5 6", "c SET b1 1 NX", "c SETNX b1 1", "c SETNX b9 1", "c GETSET b9 2",
        "c APPEND b9 x", "c INCR n", "c DECRBY n 5", "c ZRANGESTORE zs z 0 -1", "c ZREMRANGEBYRANK z 0 -1"],
    "prefixes": ["x CLIENT TRACKING ON BCAST PREFIX a: PREFIX b: PREFIX \"\"",
                 "x CLIENT TRACKING ON BCAST PREFIX b: PREFIX a:", "y CLIENT TRACKING ON BCAST",
                 "c MSET b:2 1 a:1 1 b:1 1 c 1", "c MSET b:1 1 b:1 2", "c SET c 1",
                 "x CLIENT TRACKING ON BCAST PREFIX c", "c SET c 2", "x CLIENT TRACKINGINFO",
                 "y CLIENT TRACKINGINFO", "x CLIENT TRACKING OFF", "c SET c 3",
                 "x CLIENT TRACKINGINFO"],
    "all beside a prefix": ["x CLIENT TRACKING ON BCAST PREFIX a", "x CLIENT TRACKING ON BCAST",
                            "x CLIENT TRACKINGINFO", "c SET a 1", "c SET b 1",
                            "x CLIENT TRACKING ON BCAST PREFIX z"],
    "prefixes that are redirected": [
        "b SUBSCRIBE __redis__:invalidate", "a CLIENT TRACKING ON BCAST PREFIX k REDIRECT $B",
        "c MSET k1 1 k2 2", "a SET k3 1", "c FLUSHALL"],
    "NOLOOP": ["x CLIENT TRACKING ON NOLOOP", "x GET k", "x SET k 1", "c SET k 2", "x GET k",
               "c SET k 3", "y CLIENT TRACKING ON BCAST NOLOOP", "y SET k 4", "c SET k 5",
               "x CLIENT TRACKINGINFO", "y CLIENT TRACKINGINFO"],
    "OPTIN": ["x CLIENT TRACKING ON OPTIN", "x GET a", "x CLIENT CACHING YES", "x GET b", "x GET c",
              "c MSET a 1 b 1 c 1", "x CLIENT CACHING YES", "x CLIENT TRACKINGINFO", "x CLIENT ID",
              "x MGET a b", "c MSET a 2 b 2 c 2", "x CLIENT CACHING YES", "x PING", "x GET a",
              "c SET a 3", "x CLIENT CACHING YES", "x NOSUCH", "x GET a", "c SET a 4",
              "x CLIENT CACHING YES", "x GET", "x GET a", "c SET a 5", "x CLIENT CACHING YES",
              "x CLIENT NOSUCH", "x GET a", "c SET a 6", "x CLIENT CACHING YES", "x CLIENT ID x",
              "x GET a", "c SET a 7"],
    "OPTOUT": ["x CLIENT TRACKING ON OPTOUT", "x GET a", "x CLIENT CACHING NO", "x GET b", "x GET c",
               "c SET a 1", "c SET b 1", "c SET c 1", "x CLIENT CACHING NO",
               "x CLIENT TRACKINGINFO", "x GET a", "x CLIENT TRACKINGINFO", "c SET a 2"],
    "options that contradict": [
        "x CLIENT TRACKING ON PREFIX a", "x CLIENT TRACKING ON OPTIN BCAST",
        "x CLIENT TRACKING ON OPTOUT BCAST", "x CLIENT TRACKING ON OPTIN OPTOUT",
        "x CLIENT TRACKING ON OPTIN", "x CLIENT TRACKING ON OPTOUT", "x CLIENT TRACKING ON BCAST",
        "x CLIENT TRACKING ON", "x CLIENT TRACKING ON OPTOUT", "x CLIENT TRACKING OFF",
        "x CLIENT TRACKING ON BCAST", "x CLIENT TRACKING ON", "x CLIENT TRACKING ON BCAST OPTIN",
        "x CLIENT TRACKING ON BCAST PREFIX a", "x CLIENT TRACKING OFF BCAST OPTIN OPTOUT PREFIX a",
        "x CLIENT TRACKINGINFO"],
    "prefixes that overlap": [
        "x CLIENT TRACKING ON BCAST PREFIX FOOBAR PREFIX FOO",
        "x CLIENT TRACKING ON BCAST PREFIX FOO PREFIX FOOBAR",
        "x CLIENT TRACKING ON BCAST PREFIX FOO PREFIX FOO",
        "x CLIENT TRACKING ON BCAST PREFIX FOO PREFIX BAR", "x CLIENT TRACKING ON BCAST PREFIX FO",
        "x CLIENT TRACKING ON BCAST PREFIX BARB", "x CLIENT TRACKING ON BCAST PREFIX FOO",
        "x CLIENT TRACKING ON BCAST PREFIX a PREFIX b PREFIX ab PREFIX BA",
        "x CLIENT TRACKING ON BCAST PREFIX ab PREFIX BA PREFIX a", "x CLIENT TRACKINGINFO"],
    "wrong": [
        "x CLIENT TRACKING", "x CLIENT TRACKING ONN", "x CLIENT TRACKING ON FOO",
        "x CLIENT TRACKING ON REDIRECT", "x CLIENT TRACKING ON REDIRECT x",
        "x CLIENT TRACKING ON REDIRECT 0", "x CLIENT TRACKING ON REDIRECT -1",
        "x CLIENT TRACKING ON REDIRECT 99999999", "x CLIENT TRACKING OFF REDIRECT 99999999",
        "x CLIENT TRACKING ON REDIRECT $A REDIRECT $B", "x CLIENT TRACKING MAYBE REDIRECT 0",
        "x CLIENT TRACKING ON PREFIX", "x CLIENT TRACKING MAYBE PREFIX a", "x CLIENT CACHING",
        "x CLIENT CACHING YES", "x CLIENT CACHING MAYBE", "x CLIENT CACHING YES NO",
        "x CLIENT TRACKING ON", "x CLIENT CACHING YES", "x CLIENT CACHING NO",
        "x CLIENT CACHING MAYBE", "x CLIENT TRACKING OFF", "x CLIENT GETREDIR", "x CLIENT GETREDIR 1",
        "x CLIENT TRACKINGINFO", "x CLIENT TRACKINGINFO 1", "a CLIENT TRACKINGINFO",
        "a CLIENT GETREDIR"],
    "RESET": ["x CLIENT TRACKING ON BCAST", "x RESET", "c SET k 1", "x CLIENT TRACKINGINFO",
              "x HELLO 3", "x CLIENT TRACKING ON", "x GET k", "x RESET", "x HELLO 3", "c SET k 1",
              "x CLIENT GETREDIR"],
    "no replies": ["x CLIENT TRACKING ON", "x GET k", "x CLIENT REPLY OFF", "c SET k 1", "x GET k",
                   "x SET k 2", "x CLIENT REPLY ON", "x CLIENT REPLY SKIP", "x GET k", "c SET k 1"],
    "flushes": ["x CLIENT TRACKING ON", "y CLIENT TRACKING ON BCAST PREFIX a NOLOOP", "x GET k",
                "c FLUSHDB", "c SET k 1", "c FLUSHALL", "x FLUSHALL", "y FLUSHDB ASYNC",
                "c FLUSHALL BOTH"],
    "a key that waits": ["x CLIENT TRACKING ON", "c RPUSH dst a", "x LRANGE dst 0 -1",
                         "x BLMOVE src dst LEFT LEFT 0", "c RPUSH src foo", "x GET none"],
    "a stream that waits": ["x CLIENT TRACKING ON", "x XREAD BLOCK 0 STREAMS s 0",
                            "c XADD s 1-1 f v", "c XADD s 2-1 f v"],
    "beside a subscription": [
        "x CLIENT TRACKING ON", "x SUBSCRIBE ch", "x GET k", "c SET k 1", "c PUBLISH ch 1",
        "x GET k", "x SET k 2", "c PUBLISH ch 2"],
}

# With transactions.
STORIES |= {
    "a transaction": ["x CLIENT TRACKING ON", "x GET a", "x MULTI", "x INCR a", "x GET b", "x EXEC",
                      "c SET b 1", "x MULTI", "x GET a", "x INCR a", "x DISCARD", "c SET a 1",
                      "y CLIENT TRACKING ON BCAST", "c MULTI", "c SET q 1", "c SET p 1", "c SET q 2",
                      "c EXEC"],
    "a flush in a transaction": ["x CLIENT TRACKING ON", "x GET a", "x MULTI", "x FLUSHDB",
                                 "x GET a", "x EXEC", "c SET a 1"],
    "OPTIN for a transaction": [
        "x CLIENT TRACKING ON OPTIN", "x CLIENT CACHING YES", "x MULTI", "x GET a", "x GET b",
        "x EXEC", "x GET d", "c MSET a 1 b 1 d 1", "x MULTI", "x GET a", "x CLIENT CACHING YES",
        "x GET b", "x GET d", "x EXEC", "x GET e", "c MSET a 2 b 2 d 2 e 2"],
    "tracking begins in a transaction": ["x MULTI", "x CLIENT TRACKING ON", "x GET a", "x SET a 1",
                                         "x GET b", "x EXEC", "c SET b 1"],
    "tracking ends in a transaction": ["x MULTI", "x CLIENT TRACKING ON", "x GET a", "x SET a 1",
                                       "x CLIENT TRACKING OFF", "x GET b", "x EXEC", "c SET b 1"],
}


def story(side, requests):
    with contextlib.ExitStack() as stack:
        clients, ids = {}, {}
        for name in "abcxyz":
            clients[name] = stack.enter_context(side.server.connect(timeout=20))
            if name in "xyz":
                clients[name].call("HELLO", "3")
            ids[name] = clients[name].call("CLIENT", "ID")
        clients["c"].call("FLUSHALL")
        received = {name: [] for name in clients}
        for request in requests:
            name, *words = request.split()
            words = [str(ids[word[1:].lower()]) if word.startswith("$") else word.replace('""', "")
                     for word in words]
            clients[name].send_command(*words)
            # Until it has been run: a request of another client, in a turn of its own.
            clients["z"].send_command("ECHO", "done")
            while (reply := clients["z"].read_raw()) != b"$4\r\ndone\r\n":
                received["z"].append(reply)
        for name, client in clients.items():
            received[name].append(rest(client))
        return {name: without_ids(b"".join(replies), ids) for name, replies in received.items()}


def without_ids(received, ids):
    """Ids and versions are not the same on both sides."""
    for name, number in ids.items():
        received = received.replace(b":%d\r\n" % number, b":<%s>\r\n" % name.encode())
    return re.sub(rb"(version\r\n)\$\d+\r\n[\d.]+", rb"\1", received)


def use_up_ids(side):
    """Ids of clients are larger than the numbers in their replies from now on."""
    while True:
        with side.server.connect() as client:
            if client.call("CLIENT", "ID") > 1000:
                return


def difference(pair):
    """The first story whose ends differ, with both; None if there is none."""
    for side in (pair.ours, pair.theirs):
        use_up_ids(side)
    for name, requests in STORIES.items():
        ours, theirs = (story(side, requests) for side in (pair.ours, pair.theirs))
        if ours != theirs:
            return name, ours, theirs
    return None
