"""Checks of what is Roomwire's own: its tables, and the endpoints it sends to."""

from typing import Final

from daemon.check.facts import Essentials, Facts
from daemon.check.verdict import Verdict, ok, warning, wrong
from sql.migrate import MigrationError
from sql.pms.clients import HOLD

PENDING = "Run `roomwire migrate`."
MIGRATED_OTHERWISE = "Run the Roomwire that migrated it, or newer."
WRITER = "Run `roomwire setup` with ROOMWIRE_WRITER_DSN set: it gives that role its password and its rights."
UNREAD = (
    "Put the secret key that they were encrypted with back among ROOMWIRE_SECRET_KEYS. If it is lost,"
    " remove these endpoints and add them again."
)
NO_HOLD = "In the PMS: insert the client {client}, whom its own holds name; until then no room can be held."
STRANGER = "Set ROOMWIRE_PMS_USER to the id of a user of the PMS; make one for the booking engine."
UNREACHED = "See that its machine runs and lets us through; deliveries wait for it, and nothing is lost."

UNSEEN = "Heal what is wrong of schema and migrations above, then run `roomwire check` again."
RESTORED = "Look for bookings made since the backup: the engine's own records name them, the PMS has them no more."

_LATELY: Final = 3 * 86_400.0


def _unseen(what: str) -> Verdict:
    """What stands in tables of ours that this role may not read, or that are those of another version."""
    return warning(f"{what} cannot be seen: Roomwire's own tables cannot be read", UNSEEN)


def migrations(facts: Essentials) -> Verdict:
    """Roomwire's own tables are those of this installation."""
    if isinstance(facts.pending, MigrationError):
        said = str(facts.pending)
        return wrong(said[:1].upper() + said[1:], MIGRATED_OTHERWISE)
    if facts.pending:
        return wrong(f"These migrations have not run: {', '.join(facts.pending)}", PENDING)
    return ok("Roomwire's own tables are up to date")


def endpoints(facts: Facts) -> Verdict:
    """Every endpoint takes a connection. No message is sent."""
    if not facts.readable:
        return _unseen("The endpoints")
    away = [f"{found.name} ({found.address}: {found.error})" for found in facts.endpoints if found.error]
    if away:
        return warning(f"Not reached: {', '.join(away)}", UNREACHED)
    count = len(facts.endpoints)
    return ok("There is no endpoint yet" if not count else f"{count} endpoints take connections")


def restored(facts: Facts) -> Verdict:
    """The database was not put back of late. If it was, engines follow by themselves, and lose what it lost."""
    if not facts.readable:
        return _unseen("Whether the database was put back")
    stored = facts.checkpoint
    if stored is None or stored.restored_at is None:
        return ok("The database has not been put back")
    said = f"{stored.restored_at:%Y-%m-%d %H:%M} UTC: {stored.restored}"
    now = facts.essentials.clock.now if facts.essentials.clock else 0.0
    if now - stored.restored_at.timestamp() < _LATELY:
        return warning(f"The database was found to have been put back, {said}", RESTORED)
    return ok(f"The database was last found to have been put back {said}")


def secrets(facts: Facts) -> Verdict:
    """The endpoints' secrets can be read with the secret keys that are set."""
    if not facts.readable:
        return _unseen("The endpoints' secrets")
    if facts.unread:
        return wrong(f"Nothing can be sent to {', '.join(facts.unread)}: their secrets cannot be read", UNREAD)
    return ok("The endpoints' secrets can be read")


def api(facts: Facts) -> Verdict:
    """The API is closed, or its role reaches the database, may use Roomwire's tables, and can book and hold."""
    if not facts.readable:
        return _unseen("Whether the API's role can work")
    if facts.api.missing:
        return ok(f"The API is closed: {facts.api.missing} is not set")
    if facts.api.error:
        return wrong(f"The API's role cannot work: {facts.api.error}", WRITER)
    if facts.api.stranger:
        return wrong(f"The PMS has no user {facts.settings.pms_user} that we could write as", STRANGER)
    if facts.api.no_hold:
        return warning("The PMS does not have its client of rooms that are held", NO_HOLD.format(client=HOLD))
    return ok("The API's role reaches the database")
