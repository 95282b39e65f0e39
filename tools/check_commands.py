#!/usr/bin/python3
"""Compares what two servers tell about the commands that both have.

    tools/check_commands.py 127.0.0.1:6379 127.0.0.1:6380

The first is ours, the second a redis-server 7.0. COMMAND INFO and COMMAND DOCS of each command and
subcommand must be equal to the byte, in RESP2 and RESP3; only the order of subcommands is free, since
it is that of a hash table in Redis. Prints one line per difference; the exit status is 1 when there
are any. Commands that one server lacks are not differences; --missing lists them.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "integration"))

from wire import Connection  # noqa: E402


def full_names(connection):
    return {name.decode() for name in connection.call("COMMAND", "LIST")}


def described(connection, name):
    """COMMAND INFO and DOCS of one command, without what they repeat about its subcommands."""
    info = connection.call("COMMAND", "INFO", name)[0]
    docs = connection.call("COMMAND", "DOCS", name)
    if isinstance(docs, dict):
        (documented, fields), = docs.items()
        fields = [part for pair in fields.items() for part in pair]
    else:
        documented, fields = docs
    if b"subcommands" in fields:
        at = fields.index(b"subcommands")
        del fields[at:at + 2]
    return {"INFO": info[:9] + [type(info[9]).__name__], "DOCS": [documented] + fields}


def first_difference(ours, theirs, path=""):
    """Where two replies part, for people."""
    if isinstance(ours, list) and type(ours) is type(theirs) and len(ours) == len(theirs):
        for position, (one, other) in enumerate(zip(ours, theirs)):
            if one != other or type(one) is not type(other):
                return first_difference(one, other, f"{path}[{position}]")
    return f"{path}: {ours!r} is {theirs!r} there"


def same(ours, theirs):
    """Equal in value and in kind: a set is no array, a simple string no bulk string."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, dict):
        return same(list(ours.items()), list(theirs.items()))
    if isinstance(ours, tuple):
        return all(map(same, ours, theirs))
    return ours == theirs


def differences(ours, theirs):
    """Lines of text, empty when the servers agree. The arguments are connections."""
    names = sorted(full_names(ours) & full_names(theirs))
    lines = [] if names else ["no command in common"]
    for resp in (2, 3):
        for connection in (ours, theirs):
            connection.call("HELLO", resp)
        for name in names:
            one, other = described(ours, name), described(theirs, name)
            lines += [f"{name}, {part} in RESP{resp}{first_difference(one[part], other[part])}"
                      for part in one if not same(one[part], other[part])]
    return lines


def connect(address):
    host, _, port = address.rpartition(":")
    return Connection.tcp(host, int(port))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ours", metavar="host:port")
    parser.add_argument("reference", metavar="host:port")
    parser.add_argument("--missing", action="store_true",
                        help="list the commands that only one server has")
    arguments = parser.parse_args()
    with connect(arguments.ours) as ours, connect(arguments.reference) as reference:
        if arguments.missing:
            for name in sorted(full_names(ours) ^ full_names(reference)):
                print(name, "only here" if name in full_names(ours) else "only there")
        lines = differences(ours, reference)
    print("\n".join(lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
