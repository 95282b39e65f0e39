"""Transactions of several clients: what each of them receives, on both servers.

The stories are told as those of scenarios_pubsub.py: "a", "b" and "c" speak RESP2, "x" and "y" RESP3.
TOUCHES asks of each change whether EXEC of a client that watches the keys notices it.
"""
import contextlib
import re

from scenarios_pubsub import story

ATTEMPTS = 3
STALE = ["a DEBUG SET-ACTIVE-EXPIRE 0", "a SET k 1 PX 1", "b DEBUG SLEEP 0.01"]
FRESH = ["a DEBUG SET-ACTIVE-EXPIRE 1"]
PING_EXEC = ["a MULTI", "a PING", "a EXEC"]
FULL = "c CONFIG SET maxmemory 1"
ENOUGH = "c CONFIG SET maxmemory 0"

STORIES = {
    "commands": ["a MULTI", "a SET k 1", "a INCR k", "a GET k", "a MGET k none", "a EXEC", "a GET k",
                 "x MULTI", "x GET none", "x HGETALL none", "x LPOP none", "x EXEC", "x EXEC"],
    "nothing": ["a MULTI", "a EXEC", "x MULTI", "x EXEC", "a MULTI", "a DISCARD"],
    "without MULTI": ["a EXEC", "a DISCARD", "a UNWATCH", "x EXEC", "x DISCARD", "a EXEC x",
                      "a DISCARD x", "a MULTI x", "a UNWATCH x", "a WATCH"],
    "within MULTI": ["a MULTI", "a MULTI", "a EXEC", "a MULTI", "a WATCH k", "a EXEC", "a MULTI",
                     "a UNWATCH", "a EXEC", "a MULTI", "a WATCH", "a EXEC", "a MULTI", "a MULTI x",
                     "a EXEC", "a MULTI", "a SET k 1", "a WATCH k", "a SET k 2", "a EXEC",
                     "a GET k"],
    "discarded": ["a SET k 1", "a MULTI", "a SET k 2", "a DISCARD", "a GET k", "a DISCARD"],
    "errors when queueing": ["a MULTI", "a foo", "a SET k 1", "a EXEC", "a GET k", "a MULTI",
                             "a GET", "a EXEC", "a MULTI", "a CLIENT foo", "a EXEC", "a MULTI",
                             "a CONFIG", "a EXEC", "a MULTI", "a EXEC x", "a EXEC", "a MULTI",
                             "a DISCARD x", "a EXEC", "a MULTI", "a GET", "a DISCARD", "a PING",
                             "x MULTI", "x GET", "x EXEC", "x MULTI", "x EXEC x", "x EXEC"],
    "errors when running": ["a SET k text", "a MULTI", "a INCR k", "a LPUSH k 1", "a GET k",
                            "a CONFIG SET maxmemory bla", "a EXEC", "x MULTI", "x INCR k",
                            "x SET l 1", "x EXEC", "x GET l"],
    "not allowed": ["a MULTI", "a SHUTDOWN", "a EXEC", "a MULTI", "a SHUTDOWN NOSAVE", "a EXEC"],
    "errors are counted": [
        "c CONFIG RESETSTAT", "a MULTI", "a foo", "a EXEC", "a MULTI", "a SET k text", "a INCR k",
        "a GET k", "a EXEC", "a MULTI", "a GET", "a DISCARD", "a EXEC", "a EXEC x", "a MULTI",
        "a MULTI", "a WATCH k", "a EXEC", "a UNWATCH", "c INFO errorstats", "c INFO commandstats"],
    "databases": ["a SELECT 3", "a SET k three", "a SELECT 0", "a MULTI", "a GET k", "a SELECT 3",
                  "a GET k", "a SELECT 1", "a EXEC", "a SET k one", "a SELECT 0", "a GET k"],
    "protocols": ["a MULTI", "a HGETALL none", "a HELLO 3", "a HGETALL none", "a GET none", "a EXEC",
                  "a GET none", "x MULTI", "x HELLO 2", "x GET none", "x EXEC", "x GET none"],
    "QUIT": ["a MULTI", "a SET k 1", "a QUIT", "b GET k"],
    "RESET": ["a MULTI", "a SET k 1", "a RESET", "a GET k", "a EXEC", "a WATCH k", "b SET k 2",
              "a RESET", *PING_EXEC, "x MULTI", "x RESET", "x GET none"],
    "blocking commands": [
        "a MULTI", "a BLPOP l 0", "a BRPOP l m 0", "a BLMOVE l m LEFT LEFT 0", "a BRPOPLPUSH l m 0",
        "a BLMPOP 0 1 l LEFT", "a BZPOPMIN z 0", "a BZPOPMAX z 0", "a BZMPOP 0 1 z MIN",
        "a XADD s 1-1 a b", "a XREAD BLOCK 0 STREAMS s $", "a XGROUP CREATE s g $",
        "a XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "a WAIT 0 0", "a EXEC", "x MULTI",
        "x BLPOP l 0", "x BLMOVE l m LEFT LEFT 0", "x BZPOPMIN z 0", "x XREAD BLOCK 0 STREAMS s $",
        "x EXEC", "a MULTI", "a RPUSH l 1", "a BLPOP l 0", "a BLPOP l x", "a EXEC"],
    "those who wait are served at the end": [
        "a BLPOP l 0", "b MULTI", "b RPUSH l 1", "b LPUSH l 2", "b LLEN l", "b EXEC", "c LRANGE l 0 -1",
        "a BLPOP l 0", "b DEL l", "b MULTI", "b RPUSH l 1", "b DEL l", "b EXEC", "b MULTI",
        "b RPUSH l 1", "b DEL l", "b SET l x", "b EXEC", "b DEL l", "b RPUSH l 3"],
    "a client that waits is unblocked": [
        "a BLPOP l 0", "b MULTI", "b RPUSH l 1", "b CLIENT UNBLOCK 999999", "b LPOP l", "b EXEC",
        "b RPUSH l 2"],
    "watched": ["a SET k 1", "a WATCH k l", *PING_EXEC, "a WATCH k", "b SET k 2", *PING_EXEC,
                *PING_EXEC, "a WATCH k", "a SET k 3", *PING_EXEC, "a WATCH k", "b SET k 3", "a UNWATCH",
                *PING_EXEC, "a WATCH k", "b SET k 4", "a MULTI", "a DISCARD", *PING_EXEC,
                "x WATCH k", "b SET k 5", "x MULTI", "x PING", "x EXEC", "a WATCH k k k", "b GET k",
                *PING_EXEC, "a WATCH none", "b DEL none", *PING_EXEC, "a WATCH none", "b SET none 1",
                *PING_EXEC],
    "watched and wrong": ["a WATCH k", "b SET k 1", "a MULTI", "a foo", "a EXEC", "a WATCH k",
                          "b SET k 2", "a MULTI", "a GET", "a PING", "a EXEC", *PING_EXEC],
    "touched while queueing": ["a WATCH k", "a MULTI", "a GET k", "b SET k 1", "a GET k", "a EXEC",
                               "a WATCH k", "a MULTI", "a SET k 2", "a EXEC", "a GET k"],
    "several watch": ["a WATCH k", "b WATCH k l", "x WATCH l", "c SET k 1", *PING_EXEC, "b MULTI",
                      "b PING", "b EXEC", "x MULTI", "x PING", "x EXEC", "a WATCH k", "b WATCH k",
                      "a MULTI", "a SET k 2", "a EXEC", "b MULTI", "b SET k 3", "b EXEC", "c GET k"],
    "watched in a database": ["a SELECT 1", "a WATCH k", "a SELECT 0", "b SET k 1", *PING_EXEC,
                              "a SELECT 1", "a WATCH k", "a SELECT 0", "b SELECT 1", "b SET k 1",
                              *PING_EXEC],
    "after a change": ["a WATCH k", "b SET k 1", "a WATCH l", *PING_EXEC, "a WATCH l", "b SET l 1",
                       *PING_EXEC],
    "stale": [*STALE, "a WATCH k", *PING_EXEC, "a WATCH k", "b EXISTS k", *PING_EXEC, *STALE,
              "a WATCH k", "b DEL k", *PING_EXEC, *STALE, "a WATCH k", "b SET k 2", *PING_EXEC,
              *STALE, "a WATCH k", "b FLUSHDB", *PING_EXEC, *STALE, "a WATCH k", "b FLUSHALL",
              "b SET k 2", *PING_EXEC, *FRESH],
    "stale later": ["a DEBUG SET-ACTIVE-EXPIRE 0", "a SET k 1 PX 50", "a WATCH k",
                    "b DEBUG SLEEP 0.06", *PING_EXEC, "a SET k 1 PX 50", "a WATCH k",
                    "b DEBUG SLEEP 0.06", "b GET k", *PING_EXEC, "a SET k 1 PX 50", "a WATCH k",
                    "b DEBUG SLEEP 0.06", "b FLUSHALL", *PING_EXEC, *FRESH],
    "expires": ["a SET k 1 PX 30", "a WATCH k", "b DEBUG SLEEP 0.04", *PING_EXEC, "a WATCH k",
                *PING_EXEC],
    "the time stands still": ["a MULTI", "a SET k 1 PX 20", "a DEBUG SLEEP 0.05", "a GET k",
                              "a EXEC"],
    "flushed": ["a SET k 1", "a WATCH k", "b FLUSHALL", *PING_EXEC, "a WATCH k", "b FLUSHALL",
                *PING_EXEC, "a SET k 1", "a WATCH k", "b FLUSHDB", *PING_EXEC, "a WATCH k l",
                "b FLUSHDB", *PING_EXEC, "b SELECT 1", "a SET k 1", "a WATCH k", "b FLUSHDB",
                *PING_EXEC, "a WATCH k", "b FLUSHALL", *PING_EXEC],
    "swapped": ["a SET k 1", "a WATCH k", "b SWAPDB 0 1", *PING_EXEC, "a WATCH k", "b SWAPDB 0 1",
                *PING_EXEC, "a WATCH none", "b SWAPDB 0 1", *PING_EXEC, "a WATCH k none",
                "b SWAPDB 2 3", "b SWAPDB 0 0", *PING_EXEC, "b FLUSHALL", "b SET k 1", "a WATCH k",
                "b SELECT 1", "b SET k 1", "b SWAPDB 1 0", *PING_EXEC],
    "swapped and stale": [*STALE, "a WATCH k", "b SWAPDB 0 1", *PING_EXEC, "a FLUSHALL", *STALE,
                          "a SELECT 1", "a WATCH k", "b SWAPDB 0 1", *PING_EXEC, "a FLUSHALL",
                          "a SELECT 0", *STALE, "a SELECT 1", *STALE, "a WATCH k", "b SWAPDB 0 1",
                          *PING_EXEC, *FRESH],
    "flushed inside": ["a SET k 1", "b WATCH k", "a MULTI", "a SET k 2", "a FLUSHALL", "a EXEC",
                       "b MULTI", "b PING", "b EXEC", "a WATCH k", "a MULTI", "a FLUSHALL",
                       "a SWAPDB 0 1", "a EXEC"],
    "subscribes": ["a MULTI", "a SUBSCRIBE c d", "a PSUBSCRIBE p", "a PING", "a EXEC", "a GET k",
                   "a UNSUBSCRIBE c d", "x MULTI", "x SUBSCRIBE c", "x UNSUBSCRIBE c", "x EXEC",
                   "b MULTI", "b SSUBSCRIBE c", "b EXEC", "b SUBSCRIBE c", "b MULTI", "b UNSUBSCRIBE",
                   "b MULTI", "b EXEC"],
    "publishes": ["b SUBSCRIBE c", "x SUBSCRIBE c", "a MULTI", "a PUBLISH c 1", "a SET k 1",
                  "a PUBLISH c 2", "a EXEC"],
    "a subscriber of RESP3": ["x SUBSCRIBE c", "x MULTI", "x GET k", "x SET k 1", "x EXEC",
                              "x UNSUBSCRIBE c"],
    "events": ["c CONFIG SET notify-keyspace-events KEA", "b PSUBSCRIBE __key*__:*", "a MULTI",
               "a SET k 1", "a EXPIRE k 100", "a RENAME k l", "a DEL l", "a EXEC",
               "c CONFIG SET notify-keyspace-events \"\""],
    "MONITOR": ["b MONITOR", "a SELECT 2", "a MULTI", "a SET k 1", "a SELECT 3", "a GET k", "a EXEC",
                "a MULTI", "a SET k 2", "a DISCARD", "a WATCH k", "c SELECT 3", "c SET k 3", "a MULTI",
                "a GET k", "a EXEC", "a MULTI", "a foo", "a GET k", "a EXEC", "a MULTI", "a EXEC x",
                "a UNWATCH", "a EXEC", "a MULTI", "a CONFIG GET foo", "a EXEC"],
    "MONITOR inside": ["a MULTI", "a MONITOR", "a EXEC", "a MULTI", "a SUBSCRIBE c", "a EXEC"],
    "no replies": ["a CLIENT REPLY OFF", "a MULTI", "a SET k 1", "a EXEC", "a CLIENT REPLY ON",
                   "a GET k", "a CLIENT REPLY SKIP", "a MULTI", "a SET k 2", "a CLIENT REPLY SKIP",
                   "a EXEC", "a GET k", "a GET k"],
    "no replies inside": ["a MULTI", "a SET k 1", "a CLIENT REPLY OFF", "a GET k", "a EXEC",
                          "a GET k", "a CLIENT REPLY ON", "b MULTI", "b CLIENT REPLY SKIP", "b GET k",
                          "b EXEC", "b GET k", "b GET k"],
    "KILL": ["a MULTI", "a SET k 1", "b WATCH k", "b MULTI", "x BLPOP l 0", "c SUBSCRIBE c",
             "y CLIENT KILL TYPE normal SKIPME yes", "y GET k", "y CLIENT KILL TYPE pubsub"],
    "PAUSE WRITE": ["a MULTI", "a SET k 1", "b MULTI", "b GET k", "x MULTI", "x PFCOUNT h",
                    "c CLIENT PAUSE 100000 WRITE", "a EXEC", "b GET k", "b EXEC", "x EXEC",
                    "b WATCH k", "b GET k", "c CLIENT UNPAUSE", "a GET k", "b MULTI", "b EXEC"],
    "PAUSE WRITE while queueing": ["a MULTI", "c CLIENT PAUSE 100000 WRITE", "a SET k 1", "a GET k",
                                   "a EXEC", "b MULTI", "b GET k", "b EXEC", "c CLIENT UNPAUSE",
                                   "b GET k"],
    "PAUSE inside": ["a MULTI", "a SET k 1", "a CLIENT PAUSE 100000 WRITE", "a SET k 2", "a EXEC",
                     "a GET k", "b SET k 3", "c GET k", "c CLIENT UNPAUSE", "a GET k"],
    "memory": ["a MULTI", "a SET k 1", FULL, "a GET k", "a EXEC", ENOUGH, "a MULTI", "a SET k 1",
               FULL, "a EXEC", ENOUGH, "a MULTI", "a GET k", FULL, "a EXEC", ENOUGH, "a MULTI", FULL,
               "a DISCARD", ENOUGH, "a MULTI", FULL, "a MULTI", ENOUGH, "a EXEC", "a MULTI", FULL,
               "a WATCH k", ENOUGH, "a EXEC", "a MULTI", FULL, "a PING", "a RESET", ENOUGH, "a PING",
               FULL, "a MULTI", "a EXEC", "a WATCH k", "a UNWATCH", ENOUGH],
    "login": ["c CONFIG SET requirepass p", "c AUTH p", "a MULTI", "a EXEC", "a DISCARD",
              "b RESET", "b MULTI", "b GET k", "b EXEC", "b EXEC x", "b DISCARD", "b WATCH k",
              "c CONFIG SET requirepass \"\"", "a MULTI", "a AUTH x", "a AUTH default x",
              "a HELLO 9", "a EXEC"],
    "HyperLogLog": ["a PFADD h 1 2 3", "b WATCH h", "a PFCOUNT h", "b MULTI", "b PING", "b EXEC",
                    "b WATCH h", "a PFCOUNT h", "b MULTI", "b PING", "b EXEC", "b WATCH h",
                    "a PFADD h 1", "b MULTI", "b PING", "b EXEC"],
}

# What is there, and what is done while "k" and "l" are watched. "k" is touched, and what else.
FILL = ["SET s 1", "RPUSH l 1 2 3", "SADD set 1 2 3", "ZADD z 1 a 2 b 3 c", "HSET h f 1 g 2",
        "XADD x 1-1 a b", "XADD x 2-1 a b", "XGROUP CREATE x g 0", "SETBIT bits 7 1",
        "GEOADD geo 13 38 a 15 37 b", "PFADD hll a b c", "SET t 1 EX 1000", "SADD int 1 2 3",
        "SET text hello"]
WATCHED = "s l set z h x bits geo hll t int text none none2".split()
TOUCHES = """GET s|SET s 1|SET s 1 XX|SET s 1 NX|SET none 1 XX|SET none 1 NX|SET s 1 GET|SET s 1 KEEPTTL
SETNX s 1|SETNX none 1|SETEX s 10 1|GETSET s 1|GETDEL s|GETDEL none|GETEX s|GETEX s EX 10|GETEX s PERSIST
GETEX t PERSIST|GETEX s EXAT 1|APPEND s x|APPEND none x|SETRANGE s 0 x|SETRANGE none 0|SETRANGE s 0 1
INCR s|DECRBY s 0|INCRBYFLOAT s 0|INCR text|MSET s 1 none 1|MSETNX s 1 none 1|MSETNX none 1 none2 2|STRLEN s
DEL s|DEL none|UNLINK s t|EXPIRE s 100|EXPIRE none 100|EXPIRE s -1|EXPIRE t 100 NX|EXPIRE t 1 GT|PERSIST s
PERSIST t|TTL s|TOUCH s|EXISTS s|TYPE s|OBJECT ENCODING s|DUMP s|RENAME s none|RENAME s l|RENAME s s
RENAMENX s none|RENAMENX s l|RENAME none s|COPY s none|COPY s l|COPY s l REPLACE|COPY none s REPLACE
MOVE s 1|MOVE none 1|SORT l|SORT l STORE none|SORT none STORE s|SORT none STORE none2|RANDOMKEY|KEYS *|SCAN 0
LPUSH l 1|LPUSHX l 1|LPUSHX none 1|RPUSH none 1|LPOP l|LPOP none|LPOP l 0|LPOP l 5|RPOP l 2|LSET l 0 1
LSET l 9 1|LTRIM l 0 -1|LTRIM l 1 0|LTRIM none 0 1|LREM l 0 1|LREM l 0 x|LINSERT l BEFORE 1 x
LINSERT l BEFORE x x|LINSERT none BEFORE x x|LRANGE l 0 -1|LMOVE l none LEFT LEFT|LMOVE l l LEFT LEFT
LMOVE none l LEFT LEFT|RPOPLPUSH l none|LMPOP 1 l LEFT|LMPOP 1 none LEFT|BLPOP l 0|BLMOVE l none LEFT LEFT 0
BLMPOP 0 1 l LEFT|LPOS l 1|SADD set 1|SADD set 9|SADD int x|SREM set 1|SREM set 9|SREM set 1 2 3|SPOP set
SPOP none|SPOP set 0|SPOP set 5|SRANDMEMBER set|SMOVE set none 1|SMOVE set none 9|SMOVE set set 1
SMOVE set int 1|SMEMBERS set|SINTERSTORE none set int|SINTERSTORE s none set|SINTERSTORE none none2 set
SUNIONSTORE s set|SDIFFSTORE set set int|SINTER set int|ZADD z 1 a|ZADD z 5 a|ZADD z NX 5 a|ZADD z XX 1 none
ZADD z GT 0 a|ZADD none XX 1 a|ZADD z INCR 1 a|ZINCRBY z 0 a|ZINCRBY z 1 a|ZREM z a|ZREM z none|ZREM z a b c
ZPOPMIN z|ZPOPMIN none|ZPOPMAX z 0|ZPOPMAX z 9|BZPOPMIN z 0|BZPOPMAX z 0|ZMPOP 1 z MIN|BZMPOP 0 1 z MIN
ZREMRANGEBYRANK z 0 0|ZREMRANGEBYRANK z 9 9|ZREMRANGEBYSCORE z 1 1|ZREMRANGEBYSCORE z 8 9
ZREMRANGEBYLEX z [a [a|ZRANGESTORE none z 0 -1|ZRANGESTORE s z 8 9|ZRANGESTORE none none2 0 -1
ZUNIONSTORE none 1 z|ZINTERSTORE none 2 z none2|ZINTERSTORE s 2 z none2|ZDIFFSTORE z 2 z z|ZRANGE z 0 -1
ZSCORE z a|HSET h f 1|HSET h f 2|HSET h n 1|HSETNX h f 1|HSETNX h n 1|HMSET h f 1|HDEL h f|HDEL h n|HDEL h f g
HINCRBY h f 0|HINCRBY h f 1|HINCRBYFLOAT h f 0|HINCRBY h f x|HGET h f|HGETALL h|HRANDFIELD h
SETBIT bits 7 1|SETBIT bits 7 0|SETBIT bits 100 0|SETBIT none 0 0|GETBIT bits 7|BITOP NOT none bits
BITOP AND s none none2|BITOP AND none none2|BITFIELD bits GET u8 0|BITFIELD bits SET u8 0 1
BITFIELD bits SET u8 100 0|BITFIELD bits INCRBY u8 0 0|BITFIELD bits OVERFLOW FAIL INCRBY u2 0 9
BITFIELD none GET u8 0|GEOADD geo 13 38 a|GEOADD geo 14 38 a|GEOADD geo XX 14 38 none
GEOSEARCHSTORE none geo FROMLONLAT 15 37 BYRADIUS 900 km|GEOSEARCHSTORE s geo FROMLONLAT 0 0 BYRADIUS 1 km
GEORADIUS geo 15 37 900 km STORE none|GEORADIUS geo 0 0 1 km STORE s|GEORADIUS geo 15 37 900 km
PFADD hll a|PFADD hll z|PFADD none|PFADD hll|PFCOUNT hll|PFCOUNT hll none|PFMERGE hll none|PFMERGE none hll
PFMERGE none none2|PFDEBUG ENCODING hll|PFDEBUG TODENSE hll|PFDEBUG GETREG hll|PFDEBUG DECODE hll
XADD x 3-1 a b|XADD x NOMKSTREAM 3-1 a b|XADD none NOMKSTREAM * a b|XADD x 1-1 a b|XADD x MAXLEN 1 3-1 a b
XTRIM x MAXLEN 1|XTRIM x MAXLEN 9|XTRIM none MAXLEN 1|XDEL x 1-1|XDEL x 9-9|XSETID x 5-5|XSETID x 1-1
XGROUP CREATE x g2 0|XGROUP CREATE x g 0|XGROUP CREATE none g 0|XGROUP CREATE none g 0 MKSTREAM
XGROUP SETID x g 0|XGROUP DESTROY x g|XGROUP DESTROY x none|XGROUP CREATECONSUMER x g c
XGROUP DELCONSUMER x g c|XREADGROUP GROUP g c STREAMS x >|XREADGROUP GROUP g c NOACK STREAMS x >
XREADGROUP GROUP g c STREAMS x 0|XACK x g 1-1|XREAD STREAMS x 0|XAUTOCLAIM x g c 0 0
XCLAIM x g c 0 1-1 FORCE|XCLAIM x g c 0 1-1|XLEN x|XINFO STREAM x
FLUSHDB|FLUSHALL|SWAPDB 0 1|SWAPDB 0 0|SWAPDB 2 3|SELECT 0|PING|DEBUG SLEEP 0|RESTORE none 0 bad
OBJECT FREQ s|MEMORY USAGE s|CLIENT NO-EVICT ON|CONFIG SET maxmemory 0|PUBLISH s x|SPOP int 2"""


class Watchers:
    """A client for each of the watched keys, and one that changes them."""

    def __init__(self, stack, side):
        self.writer, *self.watchers = (
            stack.enter_context(side.server.connect(timeout=20)) for _ in ["writer", *WATCHED])

    def touched(self, request):
        """Which keys the request touches."""
        self.writer.call("FLUSHALL")
        self.writer.pipeline([words.split() for words in FILL])
        for watcher, key in zip(self.watchers, WATCHED):
            watcher.call("WATCH", key)
        self.writer.call(*request.split())
        found = []
        for watcher, key in zip(self.watchers, WATCHED):
            _, done = watcher.pipeline([["MULTI"], ["EXEC"]])
            found += [] if done == [] else [key]
        return found


# The moment, the address and the path; and what the story itself asks of "y".
MONITOR_LINE = re.compile(rb"\+\d+\.\d+ \[(\d+) [^\]]*\]")
MONITOR_ECHO = re.compile(rb"\+\[\d+\] \"ECHO\" \"done\"\r\n")
# Of a command's line of INFO commandstats what is the same on both servers.
TIMES = re.compile(rb"usec=\d+,usec_per_call=[\d.]+,")
# What only one of the servers counts, and the order of the tables.
LINE_OF_STATS = re.compile(rb"(?:cmdstat|errorstat)_(?!echo|info)[^\r]*")
# What HELLO says of the server and the client.
GREETING = re.compile(rb"(?<=version\r\n)\$\d+\r\n[\d.]+|(?<=\nid\r\n:)\d+")


def plain(name, received):
    received = MONITOR_ECHO.sub(b"", MONITOR_LINE.sub(rb"+[\1]", received))
    received = GREETING.sub(b"", received)
    if name == "errors are counted":
        received = b"\r\n".join(sorted(LINE_OF_STATS.findall(TIMES.sub(b"", received))))
    return received


def difference(pair):
    """The first story whose ends differ, with both; None if there is none."""
    for name, requests in STORIES.items():
        # On a busy machine a request may overtake one that another client sent before it.
        for _ in range(ATTEMPTS):
            ours, theirs = ({client: plain(name, received) for client, received in
                             story(side, requests).items()} for side in (pair.ours, pair.theirs))
            if ours == theirs:
                break
        else:
            return name, ours, theirs
    return None


def difference_of_touches(pair):
    """The first request that touches other keys on one side; None if there is none."""
    with contextlib.ExitStack() as stack:
        ours, theirs = (Watchers(stack, side) for side in (pair.ours, pair.theirs))
        for request in TOUCHES.replace("\n", "|").split("|"):
            found = ours.touched(request), theirs.touched(request)
            if found[0] != found[1]:
                return request, *found
    return None
