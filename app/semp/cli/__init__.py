"""The command line: one file a command, the HTTP client and the terminal that they share."""

from semp.cli.app import main

__all__ = ["main"]
