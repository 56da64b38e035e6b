"""The `semp` command line: one file for each command, and the HTTP client and terminal output that the commands share."""

from semp.cli.app import main

__all__ = ["main"]
