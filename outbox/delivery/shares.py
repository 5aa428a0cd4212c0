"""Which of an endpoint's lanes are this worker's: each has one owner among the workers that live. Pure.

A lane belongs to the worker whose hash with it is the greatest (rendezvous hashing): who comes takes lanes from
the others, who goes leaves his to them, and no other lane moves. So two workers own the same lane only as long as
one has not heard of the other.
"""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from uuid import UUID


def owned(worker: UUID, roster: Iterable[UUID], endpoint_id: int, whole: int) -> int:
    """How many of an endpoint's `whole` lanes are a worker's, who is among the roster."""
    return sum(
        max(roster, key=lambda one, lane=lane: _weight(one, endpoint_id, lane)) == worker  # type: ignore[misc]
        for lane in range(whole)
    )


class Shares:
    """One worker's lanes, and what is on its way in them.

    Attributes:
        busy: messages on their way, by endpoint.
    """

    def __init__(self, worker: UUID) -> None:
        self.busy: Counter[int] = Counter()
        self._worker = worker
        self._roster = frozenset({worker})
        self._owned: dict[int, tuple[int, int]] = {}

    def meet(self, others: Iterable[UUID]) -> bool:
        """Note who lives beside this worker; returns whether that is news."""
        roster = frozenset({self._worker, *others})
        if roster == self._roster:
            return False
        self._roster = roster
        self._owned = {
            endpoint: (whole, self._count(endpoint, whole)) for endpoint, (whole, _) in self._owned.items()
        }
        return True

    def lanes(self, endpoint_id: int, whole: int) -> int:
        """How many of an endpoint's `whole` lanes are this worker's."""
        known = self._owned.get(endpoint_id)
        if known is None or known[0] != whole:
            known = self._owned[endpoint_id] = (whole, self._count(endpoint_id, whole))
        return known[1]

    @property
    def kept(self) -> bool:
        """Whether nothing is on its way beyond them: what began before somebody came may be."""
        return all(busy <= self._owned.get(endpoint, (0, 0))[1] for endpoint, busy in self.busy.items() if busy)

    def _count(self, endpoint_id: int, whole: int) -> int:
        return owned(self._worker, self._roster, endpoint_id, whole)


def _weight(worker: UUID, endpoint_id: int, lane: int) -> bytes:
    return blake2b(b"%d %d" % (endpoint_id, lane), key=worker.bytes, digest_size=8).digest()
