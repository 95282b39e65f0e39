"""Arguments of the differential test: pools of awkward values, and generators over them."""
import time

# Few keys, so that commands meet; among them the awkward ones.
KEYS = [b"a", b"b", b"c", b"k1", b"k2", b"k3", b"k4", b"key:with:colons", b"",
        b"\x00\r\nbinary\xff", b"{tag}x", b"*star?", b"long" * 30]

INTEGERS = [0, 1, -1, 2, 3, 5, 7, 8, 9, 10, 15, 16, 31, 32, 63, 64, 100, 255, 256, 1000, 65535,
            2 ** 31 - 1, 2 ** 31, -2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 62,
            2 ** 63 - 2, 2 ** 63 - 1, -2 ** 63 + 1, -2 ** 63]
BAD_INTEGERS = [2 ** 63, -2 ** 63 - 1, 2 ** 64 - 1, 2 ** 64, "+1", "01", "-01", "-0", " 1", "1 ",
                "1.0", "abc", "", "0x10", "1e3", b"1\x00", "-", "9" * 25, b"\xff"]
FLOATS = ["1.5", "-3", "0.1", "1e3", "3.0e3", "-0.0", "1e-10", "10.50", "0.00000000000000001", "1.",
          ".5", "123456789012345678", "1.23456789012345678901", "1e15", "1e17", "1e21", "-2.5e-5",
          "3.14159265358979323846", "99999999999999999999", "1e100", "0x10", "0x1p3", "2",
          "5.0e-324", "1.7976931348623157e308"]
BAD_FLOATS = ["inf", "-inf", "+inf", "nan", "-nan", "infinity", " 1", "1 ", "", "abc", "1.5x",
              "1,5", "--1", "1e5000", "-1e5000", "1e-5000", b"1.5\x00", "1.1e4932", "0x", "e3",
              "1e"]
TEXTS = [b"", b"x", b"hello", b"Hello World", b"foobar", b"\x00", b"\xff\xfe", b"\xff\xff\xff",
         b"\x00\x00\x00", b"a\r\nb", b"ohmytext", b"mynewtext", b"x" * 44, b"x" * 45, b"y" * 39,
         b"z" * 100, b"\x0f" * 9, b"ab" * 2000, b" lead", b"tail ", b"\xf0\x9f\x98\x80"]
OPTION_WORDS = [b"NX", b"XX", b"GT", b"LT", b"GET", b"EX", b"PX", b"EXAT", b"PXAT", b"KEEPTTL",
                b"PERSIST", b"COUNT", b"MATCH", b"TYPE", b"ASYNC", b"SYNC", b"REPLACE", b"DB",
                b"ABSTTL", b"BIT", b"BYTE", b"LEN", b"IDX", b"WITHMATCHLEN", b"MINMATCHLEN", b"foo"]
PATTERNS = [b"*", b"k*", b"k?", b"k[1-2]", b"k[^1]", b"?", b"", b"\\*star\\?", b"[a-c]", b"[c-a]",
            b"*:*", b"[", b"[a", b"\\", b"nothing*", b"**", b"*[*", b"k[1-", b"{tag}*", b"[^",
            b"K*"]
NOW = int(time.time())


def may_be_past(arguments):
    """Whether a key may have a deadline in the past after this command. Such a key stays until
    something looks at it or an expiry cycle comes by, so the next command has to look."""
    return arguments[0].upper() == b"SET" and len(arguments) > 3


def text(value):
    return value if isinstance(value, bytes) else str(value).encode()


def key(random):
    return KEYS[random.randrange(8)] if random.random() < 0.85 else random.choice(KEYS)


def integer(random):
    shape = random.random()
    if shape < 0.45:
        return b"%d" % random.randint(-10, 30)
    if shape < 0.92:
        return b"%d" % random.choice(INTEGERS)
    return text(random.choice(BAD_INTEGERS))


def small(random):
    """A count or position that is mostly plausible."""
    return b"%d" % random.randint(-12, 40) if random.random() < 0.85 else integer(random)


def number(random):
    shape = random.random()
    if shape < 0.3:
        return integer(random)
    return text(random.choice(FLOATS if shape < 0.85 else BAD_FLOATS))


def value(random):
    shape = random.random()
    if shape < 0.35:
        return b"%d" % random.choice(INTEGERS)
    if shape < 0.45:
        return b"%d" % random.randint(-100, 20000)
    if shape < 0.55:
        return text(random.choice(FLOATS + BAD_FLOATS + BAD_INTEGERS))
    if shape < 0.9:
        return random.choice(TEXTS)
    if shape < 0.995:
        return random.randbytes(random.randint(1, 80))
    return random.choice((b"a", b"ab", random.randbytes(50))) * random.randint(1, 600)


def pattern(random):
    return random.choice(PATTERNS)


def database(random):
    return b"%d" % random.choice((0, 0, 0, 1, 1, 2, 9, 15)) if random.random() < 0.9 else \
        text(random.choice([16, -1, "x", "", 2 ** 31, 2 ** 63, "1.0"]))


def seconds(random):
    """Never between now and soon: what expires during the run would be a race, not a difference.
    Seldom the same twice, since two relative deadlines compared by GT would be a race as well."""
    shape = random.random()
    if shape < 0.75:
        return b"%d" % random.randint(10 ** 5, 10 ** 9)
    if shape < 0.9:
        return b"%d" % random.choice((0, -1, -1000, 2 ** 63 - 1, -2 ** 63, 2 ** 63 // 1000,
                                      2 ** 63 // 1000 + 1, 2 ** 62))
    return text(random.choice(BAD_INTEGERS))


def milliseconds(random):
    shape = random.random()
    if shape < 0.75:
        return b"%d" % random.randint(10 ** 8, 10 ** 12)
    if shape < 0.9:
        return b"%d" % random.choice((0, -1, -1000, 2 ** 63 - 1, -2 ** 63, 2 ** 63 - 10 ** 13))
    return text(random.choice(BAD_INTEGERS))


def unix_seconds(random):
    shape = random.random()
    if shape < 0.7:
        return b"%d" % (random.choice((10 ** 4, 10 ** 6, 10 ** 9)) + NOW)
    if shape < 0.9:
        return b"%d" % random.choice((0, 1, -1, 1000, 10 ** 9, 2 ** 63 - 1, -2 ** 63,
                                      2 ** 63 // 1000))
    return text(random.choice(BAD_INTEGERS))


def unix_milliseconds(random):
    shape = random.random()
    if shape < 0.7:
        return b"%d" % (random.choice((10 ** 7, 10 ** 9, 10 ** 12)) + NOW * 1000)
    if shape < 0.9:
        return b"%d" % random.choice((0, 1, -1, 1000, 10 ** 12, 2 ** 63 - 1, -2 ** 63))
    return text(random.choice(BAD_INTEGERS))


def bit_offset(random):
    shape = random.random()
    if shape < 0.9:
        return b"%d" % random.randint(0, 300)
    if shape < 0.93:
        return b"%d" % random.choice((8 * 1024 * 1024 - 1, 8 * 1024 * 1024, 100000))
    return integer(random)


def byte_offset(random):
    shape = random.random()
    if shape < 0.9:
        return b"%d" % random.randint(0, 60)
    if shape < 0.93:
        return b"%d" % random.choice((1048575, 1048576, 50000))
    return integer(random)


def bit(random):
    return random.choice((b"0", b"1", b"1", b"0", b"2", b"-1", b"", b"a", b"01"))


def field_type(random):
    if random.random() < 0.9:
        return random.choice((b"u%d" % random.choice((1, 2, 3, 7, 8, 16, 31, 32, 33, 62, 63)),
                              b"i%d" % random.choice((1, 2, 5, 8, 16, 31, 32, 33, 63, 64))))
    return random.choice((b"u64", b"i65", b"u0", b"i0", b"x8", b"8", b"", b"u", b"i-1", b"u8x",
                          b"U8", b"I16"))


def field_offset(random):
    shape = random.random()
    if shape < 0.5:
        return b"%d" % random.randint(0, 100)
    if shape < 0.85:
        return b"#%d" % random.randint(0, 20)
    return random.choice((b"#", b"-1", b"#-1", b"##1", b"8388607", b"8388608", b"#1048576",
                          b"4294967295", b"#9223372036854775807", b"x", b"", b"# 1", b"#01"))


def junk(random):
    shape = random.random()
    if shape < 0.3:
        return random.choice(OPTION_WORDS)
    if shape < 0.5:
        return integer(random)
    if shape < 0.7:
        return value(random)
    return key(random) if shape < 0.85 else random.choice((b"", b"foo", b"-1", b"\r\n", b"x" * 200))
