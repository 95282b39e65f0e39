"""Several clients as several users: what each is told, on both servers; what rules come to; what
every command may do with keys."""
import contextlib
import random
import re

from wire import ErrorReply, decode, encode

# Requests in their order, each with the client that sends it: "a", "b" and "c" of RESP2, "x" of
# RESP3. "c" stays the default user. Each has one reply, or none when its client has been closed.
STORIES = {
    "logins": [
        "c ACL SETUSER bob", "a AUTH bob pw", "c ACL SETUSER bob on", "a AUTH bob pw",
        "c ACL SETUSER bob >pw >qw", "a AUTH bob pw", "a ACL WHOAMI", "c ACL SETUSER bob +acl|whoami",
        "a ACL WHOAMI", "a AUTH bob qw", "a AUTH bob rw", "a ACL WHOAMI", "c ACL SETUSER bob <pw",
        "a AUTH bob pw", "c ACL SETUSER bob nopass", "a AUTH bob rw", "c ACL SETUSER bob resetpass",
        "a AUTH bob rw", "a ACL WHOAMI", "c ACL SETUSER bob nopass off", "a AUTH bob x",
        "a ACL WHOAMI", "a AUTH nobody x", "a AUTH default x", "a ACL WHOAMI", "a AUTH x",
        "a AUTH a b c", "a AUTH", "x HELLO 3 AUTH bob x", "c ACL SETUSER bob on",
        "x HELLO 3 AUTH bob x SETNAME n", "x ACL WHOAMI", "x HELLO 2 AUTH bob", "x HELLO 4 AUTH bob x",
        "x HELLO 3 AUTH nobody x SETNAME m", "x CLIENT GETNAME", "x RESET", "x ACL WHOAMI",
        "c ACL LOG", "x ACL LOG 2", "c ACL LOG RESET", "c ACL LOG"],
    "the default user's password": [
        "c CONFIG SET requirepass pw", "c ACL LIST", "a PING", "a RESET", "a PING", "a AUTH pw",
        "a AUTH default pw", "a PING", "b RESET", "b HELLO 3", "b HELLO 3 AUTH default x",
        "b HELLO 2 AUTH default pw", "b ACL WHOAMI", "c ACL SETUSER default >other",
        "b AUTH other", "b AUTH pw", "c CONFIG GET requirepass", "c CONFIG SET requirepass \"\"",
        "c ACL LIST", "b RESET", "b PING", "b AUTH pw", "c ACL SETUSER default off", "b RESET",
        "b PING", "b AUTH pw", "b HELLO", "b QUIT", "c PING", "c ACL SETUSER default on"],
    "commands": [
        "c ACL SETUSER bob on nopass +get +config|get +select|0 -ping", "a AUTH bob x", "a GET k",
        "c ACL SETUSER bob ~*", "a GET k", "a get k", "a SET k v", "a CONFIG GET maxmemory",
        "a CONFIG SET maxmemory 0", "a CONFIG HELP", "a CONFIG", "a CONFIG NONE", "a SELECT 0",
        "a SELECT 1", "a PING", "a NONE", "a GET", "a QUITT", "a ACL WHOAMI",
        "c ACL SETUSER bob allcommands", "a SELECT 1", "a SET k v", "c ACL SETUSER bob -@string",
        "a SET k v", "a DEL k", "c ACL SETUSER bob -@all", "a DEL k", "a AUTH bob y", "a RESET",
        "c ACL LOG 100"],
    "keys": [
        "c ACL SETUSER bob on nopass +@all %R~r* %W~w* ~b*", "a AUTH bob x", "a GET r", "a GET w",
        "a SET w v", "a SET w v GET", "a SET r v", "a SET b v GET", "a MGET r b", "a MGET r w x",
        "a COPY r w", "a COPY w r", "a RENAME b b2", "a RENAME r w", "a EXISTS r w b", "a EXISTS x",
        "a SINTERSTORE w r b", "a SINTERSTORE w r x", "a SINTERSTORE r b", "a ZUNIONSTORE w 2 r x",
        "a ZUNIONSTORE w 9 r x", "a SORT r STORE w", "a SORT r STORE r", "a BITFIELD r GET u8 0",
        "a BITFIELD r SET u8 0 1", "a OBJECT ENCODING x", "a OBJECT ENCODING r", "a XREAD STREAMS r 0",
        "a XREAD STREAMS x 0", "a XREAD STREAMS r x 0 0", "a XREADGROUP GROUP g c STREAMS r 0",
        "a LMPOP 2 b w LEFT", "a BLMPOP 1 2 b x LEFT", "a GEORADIUS r 1 1 1 m STORE w",
        "a GEORADIUS r 1 1 1 m STORE x", "a MEMORY USAGE x", "a DEBUG OBJECT r", "a KEYS *",
        "a SCAN 0", "a DBSIZE", "a RANDOMKEY", "a TOUCH x", "a UNLINK w r", "a GETEX r PERSIST",
        "a LCS r x", "a PFCOUNT r w", "a STRLEN w", "c ACL LOG 100"],
    "sorting by other keys": [
        "c RPUSH list 1 2", "c ACL SETUSER bob on nopass +sort +sort_ro ~list", "a AUTH bob x",
        "a SORT list", "a SORT list BY v*", "a SORT list BY nosort", "a SORT list GET #",
        "a SORT list GET v*", "a SORT_RO list GET v*", "a SORT list BY v* GET v*", "a SORT list FOO",
        "a SORT list GET v* FOO", "c ACL SETUSER bob %W~*", "a SORT list BY v*",
        "c ACL SETUSER bob %R~*", "a SORT list BY v* GET #", "c ACL SETUSER bob resetkeys ~list",
        "a SORT list GET v*", "c ACL SETUSER bob resetkeys nocommands (+sort_ro ~*)",
        "a SORT list GET v*", "a SORT_RO list GET #"],
    "channels": [
        "c ACL SETUSER bob on nopass +@all &news:* &p*", "a AUTH bob x", "a PUBLISH news:1 m",
        "a PUBLISH other m", "a SPUBLISH other m", "b AUTH bob x", "b SUBSCRIBE news:1",
        "b SUBSCRIBE other", "b PSUBSCRIBE news:*", "b PSUBSCRIBE news:1", "b PSUBSCRIBE p*",
        "b SSUBSCRIBE other", "b UNSUBSCRIBE other", "b GET k", "c ACL LOG 100"],
    "subscribers that lose their rights": [
        "c ACL SETUSER bob on nopass +@all &a &b*", "a AUTH bob x", "a SUBSCRIBE a", "b AUTH bob x",
        "b PSUBSCRIBE b*", "x AUTH bob x", "x SSUBSCRIBE b1", "c ACL SETUSER bob &c",
        "c ACL SETUSER bob resetchannels &a &b?", "a PING", "b PING", "x PING",
        "c ACL SETUSER bob allchannels", "a PING", "c ACL SETUSER bob resetchannels (&*)", "a PING",
        "c ACL SETUSER bob clearselectors", "a PING"],
    "selectors": [
        "c ACL SETUSER bob on nopass (+get ~r*) ( +set ~w* ) (+mget ~r* ~w*)", "a AUTH bob x",
        "a GET r", "a GET w", "a SET w v", "a SET r v", "a MGET r w", "a MGET x r y", "a DEL r",
        "c ACL GETUSER bob", "x ACL GETUSER bob", "c ACL SETUSER bob clearselectors", "a GET r",
        "c ACL SETUSER bob (+get", "c ACL SETUSER bob +get )", "c ACL SETUSER bob (on)",
        "c ACL SETUSER bob (+get ~a (~b))", "c ACL GETUSER bob"],
    "users that go": [
        "c ACL SETUSER bob on nopass +@all ~*", "a AUTH bob x", "b AUTH bob x", "c ACL DELUSER nobody",
        "c ACL DELUSER default", "c ACL DELUSER bob default", "a PING", "c ACL DELUSER bob bob none",
        "a PING", "b PING", "c ACL GETUSER bob", "c ACL USERS", "c ACL SETUSER self on nopass +@all",
        "x AUTH self x", "x ACL DELUSER self", "x PING"],
    "clients by user": [
        "c ACL SETUSER bob on nopass +@all", "a AUTH bob x", "c CLIENT KILL USER none",
        "c CLIENT KILL USER bob", "a PING", "b ACL WHOAMI", "c CLIENT KILL USER default TYPE pubsub",
        "c CLIENT KILL USER"],
    "dry runs": [
        "c ACL SETUSER bob +get +config|get +publish ~r* &c", "c ACL DRYRUN bob GET r",
        "c ACL DRYRUN bob GET x", "c ACL DRYRUN bob SET r v", "c ACL DRYRUN bob CONFIG GET x",
        "c ACL DRYRUN bob CONFIG SET x y", "c ACL DRYRUN bob CONFIG NONE", "c ACL DRYRUN bob CONFIG",
        "c ACL DRYRUN bob NONE", "c ACL DRYRUN nobody GET r", "c ACL DRYRUN bob GET",
        "c ACL DRYRUN bob PUBLISH c m", "c ACL DRYRUN bob PUBLISH d m", "c ACL DRYRUN bob",
        "c ACL DRYRUN bob AUTH x", "c ACL DRYRUN bob HELLO", "c ACL LOG"],
    "wrong": [
        "c ACL", "c ACL NONE", "c ACL HELP", "c ACL HELP x", "c ACL CAT none", "c ACL CAT a b",
        "c ACL CAT", "c ACL GENPASS 0", "c ACL GENPASS -1", "c ACL GENPASS 4097", "c ACL GENPASS x",
        "c ACL GENPASS 1 2", "c ACL LOG x", "c ACL LOG -1", "c ACL LOG 1 2", "c ACL LOG RESET x",
        "c ACL WHOAMI x", "c ACL LIST x", "c ACL USERS x", "c ACL GETUSER", "c ACL GETUSER a b",
        "c ACL GETUSER none", "x ACL GETUSER none", "c ACL DELUSER", "c ACL SETUSER", "c ACL LOAD",
        "c ACL SAVE", "c ACL LOAD x", "c CONFIG SET aclfile x", "c CONFIG SET acl-pubsub-default x",
        "c CONFIG GET acllog-max-len"],
    "acl-pubsub-default": [
        "c CONFIG SET acl-pubsub-default allchannels", "c ACL SETUSER bob (+get) &x",
        "c ACL SETUSER bob (+get)", "c ACL GETUSER bob", "c ACL SETUSER bob reset",
        "c CONFIG SET acl-pubsub-default resetchannels", "c ACL GETUSER bob",
        "c ACL SETUSER bob reset", "c ACL GETUSER bob", "c ACL SETUSER alice", "c ACL LIST"],
    "a short log": [
        "c CONFIG SET acllog-max-len 2", "a AUTH u1 x", "a AUTH u2 x", "a AUTH u3 x", "a AUTH u2 x",
        "c ACL LOG", "c CONFIG SET acllog-max-len 0", "a AUTH u4 x", "c ACL LOG",
        "c CONFIG SET acllog-max-len 128"],
}

# Fields of a client's line that both servers have, and that one story makes the same.
CLIENT_INFO = re.compile(rb"(?<![a-z-])(?:name|flags|db|sub|psub|ssub|multi|cmd|user|resp)=\S*")


def comparable(value, before=None):
    """Rules of commands in any order, since Redis's is that of a table with a random hash."""
    if isinstance(value, ErrorReply):
        return value
    if isinstance(value, bytes):
        if before == b"client-info":
            return CLIENT_INFO.findall(value)
        return sorted(re.findall(rb"[^ ()]+|[()]", value)) if b"@all" in value else value
    if isinstance(value, dict):
        return {key: comparable(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [comparable(each, value[index - 1] if index else None)
                for index, each in enumerate(value)]
    return 0.0 if before == b"age-seconds" else value


def without_identity(value):
    """HELLO tells a version and the number of the client."""
    if isinstance(value, list) and b"server" in value[:1]:
        value = dict(zip(value[0::2], value[1::2]))
    if isinstance(value, dict) and b"server" in value:
        return {key: each for key, each in value.items() if key not in (b"version", b"id")}
    return value


def one_reply(client, words):
    try:
        raw = client.raw(*words)
    except (EOFError, OSError):
        return "(closed)"
    if words[:2] == ["ACL", "GENPASS"] and raw[:1] == b"$":
        return len(raw)
    value = without_identity(decode(raw)[0])
    if words[:2] == ["ACL", "LOG"] and isinstance(value, list):
        value = [comparable_record(each) for each in value]
    return raw[:1], comparable(value)


def comparable_record(record):
    pairs = record if isinstance(record, dict) else dict(zip(record[0::2], record[1::2]))
    return {**pairs, b"age-seconds": 0.0}


def story(side, requests):
    with contextlib.ExitStack() as stack:
        clients = {name: stack.enter_context(side.server.connect(timeout=20)) for name in "abcx"}
        clients["x"].call("HELLO", "3")
        clients["c"].call("FLUSHALL")
        clients["c"].call("ACL", "LOG", "RESET")
        replies = []
        for request in requests:
            name, *words = request.split()
            words = [word.replace('""', "") for word in words]
            replies.append((request, one_reply(clients[name], words)))
        restore(clients["c"])
        return replies


def restore(client):
    names = [name for name in client.call("ACL", "USERS") if name != b"default"]
    if names:
        client.call("ACL", "DELUSER", *names)
    client.call("ACL", "SETUSER", "default", "reset", "on", "nopass", "~*", "&*", "+@all")


def difference(pair):
    """The first request of a story whose replies differ, with both; None if there is none."""
    for name, requests in STORIES.items():
        ours, theirs = (story(side, requests) for side in (pair.ours, pair.theirs))
        for mine, other in zip(ours, theirs):
            if mine != other:
                return f"{name}: {mine[0]}", mine[1], other[1]
    return None


# ---- Rules

def random_rule(generator, names, categories, inside=False):
    word = "".join(generator.choice("ab*?:") for _ in range(generator.randrange(4)))
    choice = generator.randrange(12 if inside else 14)
    if choice < 4:
        return generator.choice("+-") + generator.choice(names)
    if choice < 7:
        return generator.choice(("+@", "-@")) + generator.choice(categories)
    if choice < 9:
        return generator.choice(("~", "%R~", "%W~", "%RW~", "%", "%X~")) + word
    if choice == 9:
        return "&" + word
    if choice == 10:
        return generator.choice(("resetkeys", "resetchannels", "+@all", "-@all", "allkeys", "&*"))
    if choice == 11:
        return generator.choice(("+select|0", "+get|", "+config|get|x", "-config|none", "+none",
                                 "nothing", "", "+debug|object", "+get|a|b", "allcommands"))
    if choice == 12:
        rules = [random_rule(generator, names, categories, True)
                 for _ in range(generator.randrange(5))]
        return "(" + " ".join(rules) + ")"
    return generator.choice(("on", "off", "nopass", "resetpass", ">pw", "<pw", "#bad", "!bad",
                             "clearselectors", "reset", "skip-sanitize-payload", "ON"))


def names_of_redis(pair):
    categories = pair.theirs.other.call("ACL", "CAT")
    names = set()
    for category in categories:
        names.update(pair.theirs.other.call("ACL", "CAT", category))
    return sorted(name.decode() for name in names), [name.decode() for name in categories]


def rules_difference(pair):
    """Random rules for one user: the same are refused in the same words, and the user that the
    others make is described alike: categories in the same order, then the same commands."""
    names, categories = names_of_redis(pair)
    ours_alone = {name for name in pair.ours.other.call("COMMAND", "LIST")
                  if name.decode() not in names}
    generator = random.Random(31)
    for number in range(1500):
        if number % 25 == 0:
            for side in pair.sides():
                side.other.call("ACL", "SETUSER", "u", "reset")
        rules = [random_rule(generator, names, categories)
                 for _ in range(generator.randrange(1, 5))]
        results = []
        for side in pair.sides():
            reply = side.other.raw("ACL", "SETUSER", "u", *rules)
            user = side.other.call("ACL", "GETUSER", "u")
            selectors = [as_map(selector) for selector in [user] + user[-1]]
            results.append((reply, [rules_of(each, ours_alone) for each in selectors],
                            user[1:4:2], len(selectors)))
        if results[0] != results[1]:
            return f"ACL SETUSER u {' '.join(rules)}", results[0], results[1]
    for side in pair.sides():
        side.other.call("ACL", "DELUSER", "u")
    return None


def as_map(reply):
    return dict(zip(reply[0::2], reply[1::2]))


def rules_of(selector, left_out):
    """Keys, channels, categories in their order, and single commands in any."""
    words = [word for word in selector[b"commands"].split() if word[1:] not in left_out]
    # Redis says "~*" of this pattern, which it cannot read again with others behind it.
    keys = [b"~*" if word == b"%RW~*" else word for word in selector[b"keys"].split(b" ")]
    return (keys, selector[b"channels"],
            [word for word in words if word[1:2] == b"@"],
            sorted(word for word in words if word[1:2] != b"@"))


def categories_difference(pair):
    """ACL CAT: of commands that both have."""
    known = [set(side.other.call("COMMAND", "LIST")) for side in pair.sides()]
    both = known[0] & known[1]
    for category in pair.theirs.other.call("ACL", "CAT"):
        ours, theirs = (sorted(both & set(side.other.call("ACL", "CAT", category)))
                        for side in pair.sides())
        if ours != theirs:
            return f"ACL CAT {category.decode()}", ours, theirs
    return None


# ---- Every command with keys of different rights

# Newer options of SET that Redis 7.0 does not have are left out.
WORDS = ["r", "r", "w", "w", "b", "x", "1", "2", "3", "store", "get", "by", "limit", "streams", "keys",
         "count", "group", "0", "storedist", "overflow", "block", "*", "left", ""]


def dry_runs_difference(pair):
    known = [set(side.other.call("COMMAND", "LIST")) for side in pair.sides()]
    commands = sorted(name for name in known[0] & known[1] if not name.startswith(b"acl"))
    info = dict(zip(commands, pair.theirs.other.call("COMMAND", "INFO", *commands)))
    generator = random.Random(77)
    for side in pair.sides():
        side.other.call("ACL", "SETUSER", "u", "reset", "+@all", "%R~r*", "%W~w*", "~b*", "&r")
    for name in commands:
        if info[name] is None:
            continue
        words = name.split(b"|")
        arity = abs(info[name][1])
        requests = []
        for _ in range(60):
            count = max(arity - len(words), 0)
            if info[name][1] < 0:
                count += generator.randrange(6)
            arguments = [generator.choice(WORDS).encode() for _ in range(count)]
            # Redis looks for the word behind STORE as for an option, which SORT itself does not.
            if words[0] != b"sort" or arguments.count(b"store") < 2:
                requests.append(words + arguments)
        replies = []
        for side in pair.sides():
            side.other.send(b"".join(encode("ACL", "DRYRUN", "u", *each) for each in requests))
            replies.append([side.other.read_raw() for _ in requests])
        for request, ours, theirs in zip(requests, *replies):
            if ours != theirs:
                return b" ".join(request).decode(), ours, theirs
    for side in pair.sides():
        side.other.call("ACL", "DELUSER", "u")
    return None
