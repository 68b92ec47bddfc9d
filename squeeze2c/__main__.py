"""``python -m squeeze2c`` is the command line."""

import sys

from squeeze2c.cli import main

if __name__ == "__main__":
    sys.exit(main())
