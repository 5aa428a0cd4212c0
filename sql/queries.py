"""Named queries: SQL lives in `.sql` files beside this module, Python knows only the names.

A file is a list of blocks, each opened by a line `-- name: some_name`; what stands before the first block is a
comment on the file.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import LiteralString

from psycopg.abc import AdaptContext
from psycopg.sql import SQL, Composable

_HEADING = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


class _Query(SQL):
    """A query that is encoded once, and not for every execution: psycopg then knows it again at once."""

    def __init__(self, text: LiteralString) -> None:
        super().__init__(text)
        # Any other is for the session's encoding to say.
        self._encoded = text.encode() if text.isascii() else None

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        return super().as_bytes(context) if self._encoded is None else self._encoded


def load(path: str) -> Mapping[str, SQL]:
    """Read the named blocks of a file, given relative to `sql/`.

    Raises:
        FileNotFoundError: the file is not part of the installation.
        ValueError: two blocks share a name.
    """
    text = (Path(__file__).parent / path).read_text(encoding="utf-8")
    parts = _HEADING.split(text)[1:]
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{path}: a query name stands twice")
    return {name: _Query(_bare(body)) for name, body in zip(names, bodies, strict=True)}


def _bare(text: str) -> str:
    """A query without comments and indentation: psycopg reads one that is long anew for every execution."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("--"))


def fill(query: SQL, **parts: Composable) -> SQL:
    """A query with others in the places that it keeps for them, put together once and not for every execution."""
    return _Query(query.format(**parts).as_string())
