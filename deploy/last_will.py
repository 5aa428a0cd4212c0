"""A folder and a server process that never outlive the process that made them."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

# Reads the server's process id, or an empty line when it has ended. The end of input means that the owner is
# gone, by kill -9 perhaps. A fast shutdown waits for replication clients, one that hangs for ever: hence the
# next signal after five seconds.
_SCRIPT = """
server=
while read -r line; do server=$line; done
for signal in INT QUIT KILL; do
    [ -n "$server" ] && kill -s "$signal" "$server" 2>/dev/null || break
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.2
    done
done
rm -rf -- "$1"
"""


class LastWill:
    """A new private folder, and a small shell that waits on a pipe from this process to clean up after it.

    Unlike a parent-death signal it does not depend on the thread that started the server, works on every
    POSIX system, and removes the folder too.

    Args:
        parent: where to make the folder; the system's place for temporary files unless given.

    Attributes:
        folder: the folder, readable by its owner only.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="roomwire-pg-", dir=parent))
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "last-will", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def name(self, server: subprocess.Popen[bytes] | None) -> None:
        """Say which process is to end with this one; None when there is none any more."""
        assert self._shell.stdin is not None
        self._shell.stdin.write(f"{server.pid if server else ''}\n")
        self._shell.stdin.flush()

    def execute(self) -> None:
        """End the named process, if any, and remove the folder."""
        self._shell.communicate()
