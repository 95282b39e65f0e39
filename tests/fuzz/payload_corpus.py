#!/usr/bin/python3
"""Inputs for payload_fuzz to begin with: what a server gives for DUMP of values of every type and
encoding, behind a byte for the limits.

    tests/fuzz/payload_corpus.py --server redis-server build/corpus/payload
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

from server import ServerProcess  # noqa: E402

FOOTER_BYTES = 10  # version and checksum, which the target adds
LIMITS = (0, 1, 3)
VALUES = (
    ["SET k 1"], ["SET k -70000"], ["SET k text"], ["SET k " + "x" * 300],
    ["RPUSH k a 17 a some-text"], ["CONFIG SET list-max-listpack-size 2", "RPUSH k a 17 b 18 c"],
    ["RPUSH k a " + "y" * 9000], ["SADD k 1 -2 300"], ["SADD k 1 70000"],
    ["SADD k 1 9223372036854775807"], ["SADD k a b 17"], ["HSET k f v 17 -70000 g " + "w" * 40],
    ["CONFIG SET hash-max-listpack-entries 1", "HSET k f v 17 -70000 g h"],
    ["ZADD k 1 a -0.5 b inf 17"], ["CONFIG SET zset-max-listpack-entries 1", "ZADD k 1 a 1e300 b"],
    ["XADD k 1-1 f v", "XADD k 2-1 f w", "XADD k 3-1 g x h y", "XDEL k 2-1"],
    ["CONFIG SET stream-node-max-entries 2", "XADD k 1-1 f v", "XADD k 2-1 f w", "XADD k 3-1 g x",
     "XGROUP CREATE k g1 0", "XGROUP CREATE k g2 2", "XREADGROUP GROUP g1 c1 COUNT 2 STREAMS k >",
     "XREADGROUP GROUP g1 c2 STREAMS k >", "XDEL k 3-1"],
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("directory")
    options = parser.parse_args()
    os.makedirs(options.directory, exist_ok=True)
    with ServerProcess(options.server) as server, server.connect() as client:
        for number, commands in enumerate(VALUES):
            client.call("FLUSHALL")
            for command in commands:
                client.call(*command.split())
            body = client.call("DUMP", "k")[:-FOOTER_BYTES]
            for limit in LIMITS:
                path = os.path.join(options.directory, f"value-{number}-{limit}")
                with open(path, "wb") as file:
                    file.write(bytes([limit]) + body)


if __name__ == "__main__":
    main()
