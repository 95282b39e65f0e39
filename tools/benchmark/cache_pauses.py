"""What a cache does that could stop it for a moment, while a client pings it once a millisecond.

Each scene prepares a server, and names what the load generator then does to it while it watches: a
command that is given once, or new keys as fast as they are taken.
"""

import dataclasses
import time

from .data_types import COLLECTIONS
from .servers import BenchError

MILLION = 1_000_000
LIMIT_SHARE = 0.8         # of what all keys take, for the scenes with a limit
LIMIT_SECONDS = 60        # to come down to it
EVENT_SECONDS = 4         # of pings to the idle server, and to the one that has the command
FILL_RATE = 100_000       # keys a second that every server takes in a pipeline
EXPIRY_LATER_MS = 1_500   # than the pings to the idle server end


@dataclasses.dataclass(frozen=True)
class Scene:
    keys: int         # how many it is about, unless the row says otherwise
    prepare: callable  # (bench, server, keys) -> arguments of the load generator
    unit: str = "keys"


def fill(bench, server, keys, **arguments):
    bench.load.run(server, "load", connections=4, pipeline=64, keys=keys, timeout=1200, **arguments)


def configure(server, **directives):
    for name, value in directives.items():
        answer = server.ask(f"CONFIG SET {name.replace('_', '-')} {value}")
        if answer != "+OK":
            raise BenchError(f"{server.name}: {name} {value}: {answer}")


def filling(bench, server, keys):
    return {"keys": keys, "pipeline": 64}


def at_the_limit(bench, server, keys, policy):
    """Filled, and brought down to a limit."""
    fill(bench, server, keys)
    limit = int(server.info("used_memory") * LIMIT_SHARE)
    configure(server, maxmemory_policy=policy, maxmemory=limit)
    end = time.monotonic() + LIMIT_SECONDS
    while server.info("used_memory") > limit + (1 << 20):
        if time.monotonic() > end:
            raise BenchError(f"{server.name} does not come down to its limit")
        time.sleep(0.1)


def evicting(bench, server, keys):
    at_the_limit(bench, server, keys, "allkeys-lru")
    return {"first": keys, "keys": 100 * MILLION, "pipeline": 64,
            "seconds": max(0.5, EVENT_SECONDS * bench.options.scale)}


def expiring(bench, server, keys):
    """All of them at one moment of the watched time, beside as many that have long to live."""
    fill(bench, server, keys, deadline=True, prefix="far:")
    seconds = event_seconds(bench)
    due = int(1000 * (time.time() + keys / FILL_RATE + seconds)) + EXPIRY_LATER_MS
    fill(bench, server, keys, command=f"SET key:############ {32 * 'v'} PXAT {due}")
    early = due / 1000 - time.time() - seconds - EXPIRY_LATER_MS / 2000
    if early < 0:
        raise BenchError(f"{server.name}: {keys} keys took longer to set than they had to live")
    time.sleep(early)
    return {"command": "PING", "seconds": seconds}


def flushing(bench, server, keys):
    fill(bench, server, keys)
    return {"command": "FLUSHALL", "seconds": event_seconds(bench)}


def deleting(bench, server, keys):
    fill(bench, server, keys, command=COLLECTIONS["a hash"].insert)
    return {"command": "DEL hash", "seconds": event_seconds(bench)}


def changing_policy(bench, server, keys):
    at_the_limit(bench, server, keys, "allkeys-lru")
    return {"command": "CONFIG SET maxmemory-policy allkeys-lfu",
            "seconds": event_seconds(bench)}


def event_seconds(bench):
    return max(1.0, EVENT_SECONDS * min(1.0, bench.options.scale))


# By the name that a row has behind "longest ping while ".
SCENES = {
    "filling": Scene(10 * MILLION, filling),
    "evicting": Scene(4 * MILLION, evicting),
    "keys expire": Scene(MILLION, expiring),
    "flushing all": Scene(10 * MILLION, flushing),
    "a hash is deleted": Scene(MILLION, deleting, "elements"),
    "the policy changes": Scene(4 * MILLION, changing_policy),
}


def watch(bench, server, idle, scene, keys):
    """What the load generator saw of one scene; `value` is how much longer than on the idle server
    its longest ping took."""
    arguments = SCENES[scene].prepare(bench, server, keys)
    result = bench.load.run(server, "watch", idle_port=idle.port, timeout=1800, **arguments)
    return {**result, "value": result["watched"]["max_ms"] - result["idle"]["max_ms"]}
