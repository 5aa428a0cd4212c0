"""All metrics of this process: those counted as things happen, and those read when Prometheus asks."""

import time
from collections.abc import Collection, Iterable, Iterator
from importlib.metadata import version

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

import daemon.metrics  # noqa: F401 - its histograms register themselves
from daemon.observation import Observation, Observer
from daemon.progress import Progress
from outbox.metrics import REGISTRY
from sql import feed
from sql.endpoints import Overview
from sql.feed import Lagging
from sql.pool import Pool

ProcessCollector(registry=REGISTRY)
SLOT_STATES = ("streamed", "idle", "lost", "missing")
BOOKING_STATES = ("pending", "failed", "conflict")
ENDPOINT_STATES = ("healthy", "degraded", "paused", "disabled")


class Exposition(Collector):
    """Reads capture's progress, the pools, and the observer's last look; asks nobody.

    Args:
        progress: None where this process does not capture.
        pools: of this process.
        observer: whose last look is shown.
    """

    def __init__(self, progress: Progress | None, pools: Collection[Pool], observer: Observer) -> None:
        self._progress = progress
        self._pools = pools
        self._observer = observer

    def collect(self) -> Iterator[Metric]:
        """Give every metric."""
        yield from REGISTRY.collect()
        yield _labelled("roomwire_build_info", "Always 1.", "version", [(version("roomwire"), 1)])
        if self._progress is not None:
            yield from _capture(self._progress, time.time())
        yield from _pools(self._pools)
        seen = self._observer.seen
        yield _gauge("roomwire_database_up", "Whether the last look at the database succeeded.", seen is not None)
        if seen is not None:
            yield from _slot(seen)
            yield from _endpoints(seen)
            yield from _feed(seen)
            yield _gauge(
                "roomwire_conflicts", "Nights of bookings in rooms that another stay has, too.", seen.conflicts
            )
            yield _bookings(seen)


def _bookings(seen: Observation) -> Metric:
    counts = {one.status: one.bookings for one in seen.bookings}
    values = [(status, counts.get(status, 0)) for status in BOOKING_STATES]
    return _labelled("roomwire_bookings", "Bookings from the API that are not synced.", "status", values)


def _capture(progress: Progress, now: float) -> Iterator[Metric]:
    yield _gauge("roomwire_leader", "Whether this process leads the slot.", progress.leads)
    counts = {
        "changes": (progress.changes, "Changed rows of followed tables that came through the slot."),
        "transactions": (progress.transactions, "Transactions that came through the slot."),
        "keys": (progress.keys, "Keys recomputed because a transaction named them."),
        "invisible_commits": (progress.invisible, "Commits that were not visible yet when they arrived."),
    }
    for name, (value, help_) in counts.items():
        yield CounterMetricFamily(f"roomwire_capture_{name}", help_, value)
    documents = CounterMetricFamily(
        "roomwire_capture_documents", "Documents that a change gave a new version.", labels=["kind"]
    )
    for kind in ("availability", "booking", "content"):
        documents.add_metric([kind], progress.documents.get(kind, 0))
    yield documents
    yield _gauge("roomwire_capture_waiting_commits", "Commits that are not visible yet.", progress.waiting)
    lag = progress.lag_seconds(now)
    if lag is not None:
        yield _gauge("roomwire_capture_lag_seconds", "How late changes come through the slot; leader only.", lag)


def _pools(pools: Collection[Pool]) -> Iterator[Metric]:
    stats = [(pool.name, pool.get_stats()) for pool in pools]
    for name, key, help_ in (
        ("connections", "pool_size", "Connections that a pool holds."),
        ("idle_connections", "pool_available", "Connections of a pool that nobody uses."),
        ("waiting_requests", "requests_waiting", "Requests that wait for a connection of a pool."),
    ):
        values = [(pool, found.get(key, 0)) for pool, found in stats]
        yield _labelled(f"roomwire_pool_{name}", help_, "pool", values)


def _slot(seen: Observation) -> Iterator[Metric]:
    state = _slot_state(seen)
    values = [(one, one == state) for one in SLOT_STATES]
    yield _labelled("roomwire_slot_state", "1 at the state that the slot is in.", "state", values)
    if seen.slot.exists:
        yield _gauge(
            "roomwire_slot_confirmed_lag_bytes", "Log that the slot has not been confirmed.", seen.confirmed_lag
        )
        yield _gauge("roomwire_slot_restart_lag_bytes", "Log that the server keeps for the slot.", seen.restart_lag)
    if seen.slot.safe_wal_size is not None:
        yield _gauge(
            "roomwire_slot_safe_bytes", "Log that may be written until the slot is lost.", seen.slot.safe_wal_size
        )
    if seen.checkpoint_age is not None:
        yield _gauge(
            "roomwire_checkpoint_age_seconds", "Time since the checkpoint was written.", seen.checkpoint_age
        )
    yield _gauge("roomwire_durable_work", "Pieces of durable work on the list.", len(seen.work))
    restored = seen.checkpoint and seen.checkpoint.restored_at
    yield _gauge(
        "roomwire_restored_timestamp_seconds",
        "When the database was last found to have been put back; 0 if never.",
        restored.timestamp() if restored else 0,
    )


def _slot_state(seen: Observation) -> str:
    if not seen.slot.exists:
        return "missing"
    if seen.slot.lost:
        return "lost"
    return "idle" if seen.slot.active_pid is None else "streamed"


def _endpoints(seen: Observation) -> Iterator[Metric]:
    rows = seen.endpoints
    ages = [(row.name, (seen.now - row.oldest).total_seconds() if row.oldest else 0.0) for row in rows]
    yield _states(rows)
    yield _of_endpoints(
        "behind_keys",
        "Keys whose newest version it lacks, up to 100,000.",
        [(row.name, row.behind) for row in rows],
    )
    yield _of_endpoints("oldest_behind_seconds", "For how long it has lacked one of them.", ages)
    yield _of_endpoints(
        "refused_keys", "Keys it does not take, among them.", [(row.name, row.rejected) for row in rows]
    )
    yield _of_endpoints("failures", "Outages in a row.", [(row.name, row.failures) for row in rows])


def _states(rows: Iterable[Overview]) -> Metric:
    family = GaugeMetricFamily(
        "roomwire_endpoint_state", "1 at the state that it is in.", labels=["endpoint", "state"]
    )
    for row in rows:
        for state in ENDPOINT_STATES:
            family.add_metric([row.name, state], row.status == state)
    return family


def _feed(seen: Observation) -> Iterator[Metric]:
    waiting = feed.age(seen.feed.waits, seen.now)
    yield _gauge("roomwire_feed_waiting_seconds", "For how long a change has waited for its position.", waiting)
    rows = seen.cursors
    yield _of_cursors("behind_events", "Events not acknowledged, up to 100,000.", rows, [r.behind for r in rows])
    yield _of_cursors("lag_seconds", "For how long there has been one.", rows, [r.seconds(seen.now) for r in rows])
    yield _of_cursors("expired", "Whether it has missed events.", rows, [r.expired for r in rows])


def _of_cursors(name: str, help_: str, rows: Iterable[Lagging], values: Iterable[float]) -> Metric:
    family = GaugeMetricFamily(f"roomwire_feed_cursor_{name}", help_, labels=["client", "cursor"])
    for row, value in zip(rows, values, strict=True):
        family.add_metric([row.client, row.name], value)
    return family


def _of_endpoints(name: str, help_: str, values: Iterable[tuple[str, float]]) -> Metric:
    return _labelled(f"roomwire_endpoint_{name}", help_, "endpoint", values)


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value)


def _labelled(name: str, help_: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=[label])
    for of, value in values:
        family.add_metric([of], value)
    return family
