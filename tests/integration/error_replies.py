"""Error replies as they are on the wire, for tables of expected replies."""
WRONG_TYPE = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"
NOT_INTEGER = b"-ERR value is not an integer or out of range\r\n"
SYNTAX = b"-ERR syntax error\r\n"


def invalid_expire(command):
    return b"-ERR invalid expire time in '%s' command\r\n" % command.encode()


def wrong_arity(command):
    return b"-ERR wrong number of arguments for '%s' command\r\n" % command.encode()
