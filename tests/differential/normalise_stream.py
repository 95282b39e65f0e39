"""Replies about streams that two servers give differently: times, and Redis's radix tree."""

TIME_TOLERANCE_MS = 5000
COUNT_MAX = 10 ** 7  # above it Redis's XAUTOCLAIM answers by the memory it has
ENTRY_BYTES_MAX = 1500  # of XADD's arguments; names are stored twice in a new block


def near(ours, theirs):
    return isinstance(ours, int) and isinstance(theirs, int) and \
        abs(ours - theirs) <= TIME_TOLERANCE_MS


def pairs(reply):
    """A map of RESP3, or the flat list that RESP2 has instead, as a list of names and values."""
    if isinstance(reply, dict):
        return list(reply.items())
    return list(zip(reply[0::2], reply[1::2]))


def same_rows(ours, theirs, times):
    """Lists of lists that are equal but for the times at these places."""
    if type(ours) is not type(theirs) or len(ours) != len(theirs):
        return False
    return all(len(mine) == len(its) and
               all(near(a, b) if place in times else a == b
                   for place, (a, b) in enumerate(zip(mine, its)))
               for mine, its in zip(ours, theirs))


def pending(_arguments, ours, theirs, _context):
    """[id, consumer, idle, deliveries]"""
    return same_rows(ours, theirs, (2,))


def same_map(ours, theirs, rules):
    """Equal names in order, and values, where no rule f(ours, theirs) says otherwise."""
    ours, theirs = pairs(ours), pairs(theirs)
    return [name for name, _ in ours] == [name for name, _ in theirs] and \
        all(rules.get(bytes(name), lambda a, b: a == b)(mine, its)
            for (name, mine), (_, its) in zip(ours, theirs))


def same_maps(rules):
    return lambda ours, theirs: len(ours) == len(theirs) and \
        all(same_map(mine, its, rules) for mine, its in zip(ours, theirs))


CONSUMER_IN_FULL = {b"seen-time": near, b"pending": lambda ours, theirs: same_rows(ours, theirs, (1,))}
GROUP_IN_FULL = {b"pending": lambda ours, theirs: same_rows(ours, theirs, (2,)),
                 b"consumers": same_maps(CONSUMER_IN_FULL)}
# The keys of Redis's radix tree are the stream's blocks, which aeris has as well. How many nodes lead
# to them depends on the bytes that their ids share; aeris has no such tree.
STREAM = {b"radix-tree-nodes": lambda ours, theirs: isinstance(ours, int)}


def info_stream(_arguments, ours, theirs, _context):
    return same_map(ours, theirs, {**STREAM, b"groups": groups})


def groups(ours, theirs):
    """A number, or the maps of FULL."""
    if isinstance(theirs, int):
        return ours == theirs
    return same_maps(GROUP_IN_FULL)(ours, theirs)


def info_consumers(_arguments, ours, theirs, _context):
    return same_maps({b"idle": near})(ours, theirs)


def stream_not_sent(arguments):
    """XADD with an id of its own time, or of an entry that a new block has no room for beforehand;
    XAUTOCLAIM with a COUNT for which Redis may lack memory.

    Redis 7.0.15 makes a new block with room for stream-node-max-bytes, 4096 at most. If an entry
    needs more, the block can move to where the block before it was until a moment ago; Redis then
    takes the two for the same, and goes on with memory that it has freed. scenarios.py has such
    entries in streams of their own."""
    name = arguments[0].lower()
    if name == b"xadd":
        return b"*" in arguments or sum(map(len, arguments)) > ENTRY_BYTES_MAX
    if name == b"xautoclaim":
        return any(each.isdigit() and COUNT_MAX < int(each) <= 2 ** 63 // 16
                   for each in arguments[5:])
    return False


STREAM_RULES = {
    b"xpending": (pending, "two moments"),
    b"xinfo|stream": (info_stream, "two moments; no radix tree in aeris"),
    b"xinfo|consumers": (info_consumers, "two moments"),
}
