"""What one endpoint is behind on, claimed and made into messages."""

from functools import partial
from uuid import UUID, uuid4

import structlog

from outbox.delivery.compose import Message, digits, snapshot
from outbox.delivery.lanes import Leased
from outbox.delivery.lease import Lease
from outbox.delivery.ledger import Ledger
from outbox.delivery.sender import Sender
from outbox.delivery.steady import PASSING, steadily
from sql import delivery
from sql.delivery import Claim, Claimed, Target
from sql.pool import Pool

_log = structlog.get_logger(__name__)


class Intake:
    """Claims one endpoint's keys for a worker, and composes what they come to.

    again: seconds after which its caller claims what could not be claimed.
    """

    def __init__(
        self, pool: Pool, *, sender: Sender, target: Target, lease: Lease, ledger: Ledger, again: float
    ) -> None:
        self._pool = pool
        self._sender = sender
        self._target = target
        self._lease = lease
        self._ledger = ledger
        self._again = again

    async def claim(self, token: UUID, size: int, place: int | None) -> Claimed | None:
        """Claim up to `size` keys from a place in the queue on, None: of what was marked just now.

        Returns None where the database was away.
        """
        lease = self._lease
        try:
            async with self._pool.connection() as conn:
                return await delivery.claim(
                    conn,
                    self._target.id,
                    worker=lease.worker,
                    token=token,
                    size=size,
                    lease=lease.seconds,
                    place=place,
                    revision=self._target.revision,
                    fence=lease.fence,
                )
        except BaseException as error:
            lease.lose(self._target.id, token)
            if not isinstance(error, PASSING):
                raise
            _log.warning("database_retry", error=str(error).strip(), wait_seconds=self._again)
            return None

    async def compose(self, claims: list[Claim], token: UUID) -> list[Message]:
        """Make messages of what was claimed with a token. Of what nobody wants told, it notes that it is done."""
        try:
            return await self._compose(claims, token)
        except BaseException:
            self._lease.lose(self._target.id, token)
            raise

    async def heartbeat(self) -> Leased | None:
        """The heartbeat that is due, unless another worker has it."""
        term = self._lease.term
        take = partial(delivery.heartbeat, endpoint_id=self._target.id, lease=self._lease.seconds)
        beat = await steadily(self._pool, take)
        if beat is None:
            return None
        return Leased(self._sender.heartbeat(beat.as_of, beat.behind), uuid4(), term, beat.probing)

    async def _compose(self, claims: list[Claim], token: UUID) -> list[Message]:
        told = [claim for claim in claims if claim.told]
        composed = self._sender.compose([claim for claim in told if claim.kind != "snapshot"])
        snapshots = [await self._snapshot(claim) for claim in told if claim.kind == "snapshot"]
        unsaid = [(claim, claim.marked) for claim in claims if not claim.told]
        self._ledger.acknowledge(token, composed.silent + unsaid)
        return composed.messages + snapshots

    async def _snapshot(self, claim: Claim) -> Message:
        first, last = digits(claim)
        read = partial(
            delivery.snapshot, endpoint_id=self._target.id, hotel_id=claim.hotel_id, first=first, last=last
        )
        return snapshot(claim, await steadily(self._pool, read))
