"""Checks of the PMS's tables: what the queries read is there, and what is deleted can be told."""

from collections.abc import Iterator

from daemon.check.facts import Essentials
from daemon.check.verdict import Verdict, ok, wrong
from sql.pms.columns import IDENTITY, READ

COLUMNS = (
    "Give ROOMWIRE_DSN the PMS's database; if it is, its schema has changed: install a Roomwire that knows it."
)
IDENTITIES = "As their owner: add the primary key, or ALTER TABLE … REPLICA IDENTITY FULL; then `roomwire resync`."


def columns(facts: Essentials) -> Verdict:
    """Every table and column that the queries read is there. Others may be."""
    missing = list(_missing(facts))
    if missing:
        return wrong("; ".join(missing).capitalize(), COLUMNS)
    return ok(f"{len(facts.tables)} tables have the columns that are read")


def identities(facts: Essentials) -> Verdict:
    """Every table and partition has a primary key, so that the log tells which row was deleted."""
    dumb = [found for found in facts.identities if not IDENTITY[found.root] <= set(found.told)]
    if dumb:
        said = ", ".join(
            found.example if found.relations == 1 else f"{found.example} and {found.relations - 1} more"
            for found in dumb
        )
        return wrong(f"The log does not tell which rows of {said} are deleted", IDENTITIES)
    return ok("Every table tells which of its rows are deleted")


def _missing(facts: Essentials) -> Iterator[str]:
    for table in sorted(facts.tables, key=lambda found: found.name):
        if not table.present:
            yield f"there is no table {table.name}"
        elif lacks := READ[table.name] - set(table.columns):
            yield f"table {table.name} has no column {', '.join(sorted(lacks))}"
