"""The command line: parse, call, show. One file per command."""

from squeeze2c.cli.app import main

__all__ = ["main"]
