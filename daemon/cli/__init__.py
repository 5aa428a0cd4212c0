"""The command line: what an operator types, and what a tired one is answered."""

from daemon.cli.commands import main

__all__ = ["main"]
