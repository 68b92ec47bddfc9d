"""All benchmarks, one after the other: ``make bench``."""

from __future__ import annotations

import sys

import accuracy
import arena
import host_speed
import ram_sweep
import targets

from squeeze2c.errors import Squeeze2cError


def main() -> int:
    """The largest exit code of any benchmark."""
    return max(
        host_speed.main([]), arena.main([]), ram_sweep.main([]), accuracy.main([]), targets.main([])
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"bench: {error}")
