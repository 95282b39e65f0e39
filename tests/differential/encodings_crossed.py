"""Whether a run has been where it matters: in each encoding on both sides of its threshold."""
from wire import decode

# What OBJECT ENCODING says of a key, one time and the next in a sequence. Growth leads from the small
# encodings to the large ones; back it goes where a command stores a new value (SET, a STORE, COPY).
CROSSINGS = {(a, b) for group in ((b"int", b"embstr", b"raw"), (b"intset", b"hashtable"),
                                  (b"listpack", b"hashtable"), (b"listpack", b"skiplist"))
             for a in group for b in group if a != b}
# Items of a list that do not fit one block of list-max-listpack-size as the grammar sets it, and such
# that do. The blocks of a stream are counted by XINFO.
LIST_ITEMS_MANY, LIST_ITEMS_FEW = 130, 40


class Encodings:
    """Fed with the commands of a run and the reference's replies to them."""

    def __init__(self):
        self.crossed = set()
        self.last = {}

    def begin(self):
        """A new sequence: other keys."""
        self.last = {}

    def see(self, arguments, reply):
        words = [word.lower() for word in arguments[:2]]
        if not reply or reply[:1] not in b"+$:*%" or len(arguments) < 2:
            return
        if words == [b"object", b"encoding"] and len(arguments) == 3:
            self._state(b"", arguments[2], bytes(decode(reply)[0] or b""))
        elif words == [b"pfdebug", b"encoding"] and len(arguments) == 3:
            self._state(b"hyperloglog ", arguments[2], bytes(decode(reply)[0]))
        elif words[0] == b"llen":
            items = decode(reply)[0]
            if items >= LIST_ITEMS_MANY or 0 < items <= LIST_ITEMS_FEW:
                self._state(b"list ", arguments[1],
                            b"long" if items >= LIST_ITEMS_MANY else b"short")
        elif words == [b"xinfo", b"stream"] and len(arguments) > 2:
            fields = decode(reply)[0]
            fields = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2]))
            self._state(b"stream ", arguments[2],
                        b"one block" if fields[b"radix-tree-keys"] < 2 else b"blocks")

    def _state(self, prefix, key, state):
        before = self.last.get((prefix, key))
        self.last[prefix, key] = state
        if state and before and before != state:
            self.crossed.add((prefix + before, prefix + state))

    def missing(self):
        """What a long run over all families must have crossed, and has not."""
        expected = CROSSINGS | {(prefix + a, prefix + b) for prefix, a, b in (
            (b"list ", b"short", b"long"), (b"list ", b"long", b"short"),
            (b"stream ", b"one block", b"blocks"), (b"stream ", b"blocks", b"one block"),
            (b"hyperloglog ", b"sparse", b"dense"), (b"hyperloglog ", b"dense", b"sparse"))}
        return sorted(expected - self.crossed)
