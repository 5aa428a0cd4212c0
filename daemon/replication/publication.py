"""The publication that pgoutput streams: a fault in it loses changes without a word, so it is checked before.

From PostgreSQL 18 on even a missing one is only a warning in the server's log. Checked here, made and repaired by
the tables' owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from daemon.replication.errors import PublicationFaultyError, PublicationMissingError
from daemon.replication.slot import Connection, ask, ask_all

_ALL: Final = frozenset({"insert", "update", "delete", "truncate"})


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """What a publication does with one table that exists.

    Attributes:
        name: the table, a root where it is partitioned.
        published: it is in the publication.
        filtered: only some of its rows are.
        left_out: its columns that are not sent.
    """

    name: str
    published: bool
    filtered: bool
    left_out: frozenset[str]


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication as the server knows it.

    Attributes:
        via_root: changes of leaves name the partitioned root.
        operations: of insert, update, delete, truncate, those that are sent.
        tables: those of the tables asked for that exist.
        without_identity: published tables that the publication forbids to update.
    """

    via_root: bool
    operations: frozenset[str]
    tables: tuple[PublishedTable, ...]
    without_identity: tuple[str, ...]


async def check_publication(
    connection: Connection, name: str, wanted: Mapping[str, frozenset[str]], *, schema: str = "public"
) -> None:
    """Make sure that the publication sends what the decoder wants. Tables that do not exist are not missed.

    Raises:
        PublicationMissingError: there is none of that name.
        PublicationFaultyError: it leaves something out, or keeps the PMS from writing; the text lists it all.
        ReplicationError: the server cannot be asked.
    """
    row = await ask(connection, "publication", publication=name)
    if row is None:
        raise PublicationMissingError(f"There is no publication {name}")
    tables = await ask_all(connection, "published", publication=name, schema=schema, tables=list(wanted))
    forbidden = await ask_all(connection, "without_identity", publication=name)
    publication = Publication(
        via_root=row["via_root"],
        operations=frozenset(row["operations"]),
        tables=tuple(PublishedTable(**{**table, "left_out": frozenset(table["left_out"])}) for table in tables),
        without_identity=tuple(table["name"] for table in forbidden),
    )
    faults = list(find_faults(publication, wanted))
    if faults:
        raise PublicationFaultyError(f"Publication {name}: {'; '.join(faults)}")


def find_faults(publication: Publication, wanted: Mapping[str, frozenset[str]]) -> Iterable[str]:
    """Say what is wrong with a publication, one fault at a time. Pure."""
    if not publication.via_root:
        yield "publish_via_partition_root is off"
    if missing := _ALL - publication.operations:
        yield f"it does not publish {', '.join(sorted(missing))}"
    # Without it the server lists leaves, and says nothing of roots.
    for table in publication.tables if publication.via_root else ():
        if not table.published:
            yield f"table {table.name} is not in it"
        elif table.filtered:
            yield f"table {table.name} has a row filter"
        elif columns := table.left_out & wanted[table.name]:
            yield f"table {table.name} lacks columns {', '.join(sorted(columns))}"
    for name in publication.without_identity:
        yield f"table {name} has no replica identity, so nobody can update or delete its rows: take it out"
