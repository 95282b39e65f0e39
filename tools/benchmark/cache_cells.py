"""Cells: what tools/cachebench measures, by the names that its tables and --only use.

  zipf 1.0, 60 MiB                          2 million keys of 16 bytes, values of 64
  zipf 1.0, 16 B to 4 KiB, 60 MiB           sizes of lognormal distribution, a property of the key
  zipf 1.0, drifting, 60 MiB                two random keys exchange their popularity now and then
  zipf 1.0, with scans, 60 MiB              which ask for keys that nobody asks for again

`aim` is what the project wants of the misses with its own policy, as a share of those of the better
of Redis's; None where being below every peer is what is wanted.
"""

import dataclasses
import fnmatch

KEYS = 2_000_000
VALUE_BYTES = 64
SIZES = (16, 4096)
REQUESTS = 3_000_000  # that count, and as many before them to warm up
DRIFT_REQUESTS = 10  # a quarter of the keys' places change hands in so many requests
# One scan in each quarter of the requests that count.
SCAN_PERIOD = 600_000
SCAN_KEYS = 150_000
LIMITS = (60, 200)
EXPONENTS = (0.8, 1.0, 1.2)
KINDS = ("", "16 B to 4 KiB", "drifting", "with scans")


@dataclasses.dataclass(frozen=True)
class Cell:
    zipf: float
    limit: int  # MiB
    kind: str = ""

    @property
    def name(self):
        return ", ".join(filter(None, (f"zipf {self.zipf:.1f}", self.kind, f"{self.limit} MiB")))

    @property
    def aim(self):
        return AIMS.get(self.name)

    def limit_scaled(self, scale):
        return max(1, round(self.limit * scale))

    def traffic(self, scale, requests):
        """The arguments of the load generator and of the simulator."""
        sized = self.kind == "16 B to 4 KiB"
        scans = self.kind == "with scans"
        return {"keys": int(KEYS * scale), "zipf": self.zipf,
                "value_size": SIZES[0] if sized else VALUE_BYTES,
                "value_size_max": SIZES[1] if sized else None,
                "drift": DRIFT_REQUESTS if self.kind == "drifting" else None,
                "scan_period": int(SCAN_PERIOD * scale) if scans else None,
                "scan_keys": int(SCAN_KEYS * scale) if scans else None,
                "warm_up": int(requests * scale), "requests": int(requests * scale)}


CELLS = [*(Cell(zipf, limit, kind) for kind in KINDS[:2] for zipf in EXPONENTS for limit in LIMITS),
         *(Cell(1.0, limit, kind) for kind in KINDS[2:] for limit in LIMITS)]
QUICK = ["zipf 1.0, 60 MiB"]
AIMS = {"zipf 1.0, 60 MiB": 0.70}


def select(patterns):
    """The cells whose names match one of the shell's patterns, all without one. Raises ValueError
    for a pattern that no name matches."""
    chosen = []
    for pattern in patterns:
        found = [cell for cell in CELLS if fnmatch.fnmatch(cell.name, pattern)]
        if not found:
            raise ValueError(f"no cell is named {pattern!r}; --list shows them")
        chosen += found
    return list(dict.fromkeys(chosen)) if patterns else CELLS
