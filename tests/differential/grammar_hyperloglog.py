"""HyperLogLogs: few keys, both encodings, damaged values, thresholds that values meet quickly."""
from arguments import key, value
from combinators import Many, Maybe, OneOf

HEADER = b"HYLL\x01\0\0\0" + 7 * b"\0" + b"\x80"


def element(random):
    return b"%d" % random.randrange(random.choice((10, 1000, 10 ** 9)))


def hyperloglog(random):
    """Values as clients write them: whole, too short, too long, of no encoding."""
    opcodes = random.choice((b"\x7f\xff", b"\x7f\xff\x80", b"\x7f\xfe", b"", b"\x5f\xff\x7f\xff",
                             b"\x40\0\x7f\xfe", b"\x3f" * 256, b"\xff" * 4096,
                             b"\xff\x84\x84\x7f\xf9", 12288 * b"\0", 12288 * b"\x41"))
    header = random.choice((HEADER, HEADER, HEADER, HEADER.replace(b"\x01", b"\0"),
                            HEADER.replace(b"\x80", b"\0"), b"HYLL\x02" + HEADER[5:], b"hyll"))
    return header + opcodes


def place(random):
    """Mostly among the opcodes of a small value."""
    return b"%d" % random.choice((random.randrange(16, 60), random.randrange(16, 60), 4, 8, 15))


def damage(random):
    """No first byte of a long run (01nnnnnn): where that has no second byte because it is the last
    one, Redis reads beyond the value; PFADD of aeris says that the value is corrupted."""
    return bytes([random.choice((random.randrange(64), random.randrange(128, 256)))])


HYPERLOGLOG = [
    (20, (b"PFADD", key, Many(element, low=0, high=3))),
    (6, (b"PFADD", key, Many(element, low=20, high=200))),
    (2, (b"PFADD", key, Many(value, low=0))),
    (8, (b"PFCOUNT", key)),
    (5, (b"PFCOUNT", Many(key))),
    (6, (b"PFMERGE", key, Many(key, low=0))),
    (2, (b"PFDEBUG", OneOf(b"ENCODING", b"DECODE", b"TODENSE", b"GETREG", b"foo", b""), key)),
    (6, (b"GET", key)),
    (2, (b"SET", key, hyperloglog)),
    (1, (b"SET", key, value)),
    (2, (b"SETRANGE", key, place, damage)),
    (1, (b"APPEND", key, damage)),
    (1, (b"COPY", key, key, Maybe(b"REPLACE"))),
    (1, (b"DEL", key)),
    (1, (b"STRLEN", key)),
    (1, (b"CONFIG", b"SET", b"hll-sparse-max-bytes",
         OneOf(b"0", b"18", b"30", b"100", b"1000", b"3000", b"16000"))),
]
