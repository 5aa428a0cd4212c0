"""Checks of who we are: the server, the role, and what it may."""

from typing import Final, NamedTuple

from daemon.check.facts import Essentials
from daemon.check.verdict import Verdict, failed, ok, warning, wrong
from daemon.replication.errors import NotPermittedError
from sql import setup
from sql.pms.columns import READ

VERSION_OLD = "Use PostgreSQL 15 to 18."
VERSION_NEW = "Watch it: Roomwire is tested on PostgreSQL 15 to 18."
VERSION_FAULTY = "Update PostgreSQL to {version} or newer: a restart with the new binaries is all it takes."
IN_RECOVERY = "Give ROOMWIRE_DSN the primary server."
SCHEMA_MISSING = "Run `roomwire setup`."
SCHEMA_FOREIGN = setup.SCHEMA_FOREIGN
READING = "As their owner: GRANT SELECT ON {tables} TO {role}; or run `roomwire setup`."
PUBLIC = "As its owner: GRANT USAGE ON SCHEMA public TO {role}; or run `roomwire setup`."


class Fault(NamedTuple):
    """A fault of decoding in PostgreSQL: major version → the first minor that has it, and the first without it."""

    what: str
    minors: dict[int, tuple[int, int]]


# Known of the minor versions before these, from the project's release notes and commits.
_FAULTS: Final = (
    Fault("a transaction may be sent in part", {15: (0, 8), 16: (0, 4)}),
    Fault("a slot's restart_lsn can go backwards, to log that is gone", {15: (0, 10), 16: (0, 6), 17: (0, 2)}),
    Fault(
        "changes are lost where tables or publications are altered beside open transactions",
        {15: (0, 13), 16: (0, 9), 17: (0, 5)},
    ),
    Fault(
        "decoding beside much DDL fails with an invalid memory alloc request size",
        {15: (13, 14), 16: (9, 10), 17: (5, 6)},
    ),
)


def version(facts: Essentials) -> Verdict:
    """PostgreSQL 15 to 18, of a minor version without known faults in logical decoding."""
    major, minor = divmod(facts.server.version, 10_000)
    said = f"PostgreSQL {major}.{minor}"
    if major < 15:
        return wrong(f"{said} is too old", VERSION_OLD)
    if major > 18:
        return warning(f"{said} is newer than what Roomwire is tested on", VERSION_NEW)
    known = [(fault.what, *fault.minors[major]) for fault in _FAULTS if major in fault.minors]
    if faults := "; ".join(what for what, first, without in known if first <= minor < without):
        sound = max(without for _, _, without in known)
        return warning(f"{said} has known faults: {faults}", VERSION_FAULTY.format(version=f"{major}.{sound}"))
    return ok(said)


def primary(facts: Essentials) -> Verdict:
    """The server takes writes."""
    if facts.server.in_recovery:
        return wrong("The server is a standby, where nothing can be written", IN_RECOVERY)
    return ok("The server is the primary")


def replication(facts: Essentials) -> Verdict:
    """The role has REPLICATION."""
    if not facts.server.may_replicate:
        return failed(NotPermittedError("The role does not have REPLICATION"))
    return ok(f"{facts.server.role} has REPLICATION")


def schema(facts: Essentials) -> Verdict:
    """The schema of Roomwire's own tables is there and the role's own."""
    found = facts.schema
    if not found.present:
        return wrong("There is no schema booking_engine", SCHEMA_MISSING)
    if not found.owned:
        return wrong(
            f"Schema booking_engine belongs to {found.owner}, not to {found.role}",
            SCHEMA_FOREIGN.format(role=found.role),
        )
    return ok(f"{found.role} owns the schema booking_engine")


def reading(facts: Essentials) -> Verdict:
    """The role may read every column that the queries read."""
    role = facts.server.role
    if not facts.schema.sees_public:
        return wrong(f"{role} may not use the schema public", PUBLIC.format(role=role))
    closed = [table.name for table in facts.tables if READ[table.name] & set(table.hidden)]
    if closed:
        tables = ", ".join(sorted(closed))
        return wrong(f"{role} may not read {tables}", READING.format(tables=tables, role=role))
    return ok(f"{role} may read the PMS's {len(facts.tables)} tables")
