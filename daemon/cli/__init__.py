"""The command line: what an operator types, and what it answers a tired one."""

from daemon.cli.commands import main

__all__ = ["main"]
