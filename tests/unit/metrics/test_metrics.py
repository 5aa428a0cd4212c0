"""Every metric is named as Prometheus asks, documented, and free of ids."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from prometheus_client import Metric, generate_latest

from api import metrics as api_metrics
from daemon.exposition import Exposition
from daemon.observation import Observer
from daemon.progress import Progress
from outbox import metrics
from sql.pool import Pool
from tests.unit.metrics.samples import SEEN

PAGE = Path(__file__).parents[3] / "docs" / "METRICS.md"
LABELS = {"endpoint", "outcome", "kind", "state", "pool", "version", "route", "method", "status"}
LABELS |= {"client", "cursor"}
UNITS = ("_seconds", "_bytes", "_keys", "_total", "_info")


class Waiting:
    """A pool as far as metrics look at it."""

    name = "capture"

    def get_stats(self) -> dict[str, int]:
        return {"pool_size": 3, "pool_available": 1}


class Looked:
    """An observer that has looked."""

    seen = SEEN


@pytest.fixture
def progress() -> Progress:
    progress = Progress(changes=7, transactions=5, keys=4, documents=Counter(booking=2), invisible=1)
    progress.become("leading")
    return progress


@pytest.fixture
def families(progress: Progress) -> list[Metric]:
    metrics.Meter("engine", 0.0).attempted("delivered", 0.01)
    metrics.ENDPOINT_CHANGES.labels("engine", "paused").inc()
    api_metrics.answered("/hotels", "GET", 200, 0.01)
    pools = [cast("Pool", Waiting())]
    return list(Exposition(progress, pools, cast("Observer", Looked())).collect())


def documented() -> dict[str, tuple[str, set[str]]]:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\| [^|]+ \|$", PAGE.read_text(), re.MULTILINE)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def exposed(families: list[Metric]) -> dict[str, tuple[str, set[str]]]:
    found = {}
    for family in families:
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = (family.type, labels)
    return found


def test_the_page_lists_what_is_exposed(families: list[Metric]) -> None:
    assert documented() == exposed(families)


def test_names_and_labels_keep_the_rules(families: list[Metric]) -> None:
    for name, (kind, labels) in exposed(families).items():
        assert name.startswith(("roomwire_", "process_"))
        assert labels <= LABELS, f"{name} has a label that may be an id"
        assert (kind == "counter") == name.endswith("_total")
        assert kind != "histogram" or name.endswith(UNITS), f"{name} names no unit"
        assert not re.search(r"_(ms|millis\w*|kb|mb|minutes|hours)\b", name), f"{name} is not in base units"
    assert all(family.documentation.endswith(".") for family in families if family.name.startswith("roomwire"))


def test_it_is_what_prometheus_reads(progress: Progress) -> None:
    exposition = Exposition(progress, [cast("Pool", Waiting())], cast("Observer", Looked()))
    lines = generate_latest(exposition).decode().splitlines()
    for line in (
        "roomwire_leader 1.0",
        "roomwire_capture_changes_total 7.0",
        "roomwire_capture_transactions_total 5.0",
        'roomwire_capture_documents_total{kind="booking"} 2.0',
        "roomwire_slot_confirmed_lag_bytes 1024.0",
        "roomwire_slot_restart_lag_bytes 5120.0",
        'roomwire_slot_state{state="streamed"} 1.0',
        'roomwire_slot_state{state="lost"} 0.0',
        'roomwire_endpoint_behind_keys{endpoint="engine"} 3.0',
        'roomwire_endpoint_oldest_behind_seconds{endpoint="engine"} 90.0',
        'roomwire_pool_connections{pool="capture"} 3.0',
        "roomwire_database_up 1.0",
    ):
        assert line in lines


def test_a_standby_has_no_lag_and_a_process_without_capture_no_leader() -> None:
    standby = Progress()
    standby.become("standby")
    looked = cast("Observer", Looked())
    assert "roomwire_capture_lag_seconds" not in exposed(list(Exposition(standby, [], looked).collect()))
    assert "roomwire_leader" not in exposed(list(Exposition(None, [], looked).collect()))


def test_latencies_are_of_documents_written_while_it_delivers() -> None:
    committed = datetime.fromtimestamp(999.0, UTC)
    count = "roomwire_commit_to_delivered_seconds_count", {"endpoint": "counted"}
    meter = metrics.Meter("counted", 1000.0)
    meter.delivered(2, committed_at=committed, version=int(900e6), now=1003.0)
    assert metrics.REGISTRY.get_sample_value(*count) == 0
    meter.delivered(2, committed_at=committed, version=int(1001e6), now=1003.0)
    assert metrics.REGISTRY.get_sample_value(*count) == 1
    total = "roomwire_document_to_delivered_seconds_sum", {"endpoint": "counted"}
    assert metrics.REGISTRY.get_sample_value(*total) == pytest.approx(2.0)
    assert metrics.REGISTRY.get_sample_value("roomwire_delivery_keys_total", {"endpoint": "counted"}) == 4
