"""What delivery measures of itself, for Prometheus. docs/METRICS.md says what each metric is for.

Endpoints are labels by name: they are few. Ids and keys never are.
"""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
"""All of this process's metrics."""

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)

ATTEMPTS = Counter(
    "roomwire_delivery_attempts", "Sends, by what came of them.", ["endpoint", "outcome"], registry=REGISTRY
)
ATTEMPT_SECONDS = Histogram(
    "roomwire_delivery_attempt_duration_seconds",
    "From sending until the answer or the failure.",
    ["endpoint"],
    buckets=SECONDS,
    registry=REGISTRY,
)
DELIVERED_KEYS = Counter(
    "roomwire_delivery_keys", "Keys whose newest version was delivered.", ["endpoint"], registry=REGISTRY
)
DOCUMENT_TO_DELIVERED_SECONDS = Histogram(
    "roomwire_document_to_delivered_seconds",
    "From a document's new version until an endpoint acknowledged it.",
    ["endpoint"],
    buckets=SECONDS,
    registry=REGISTRY,
)
COMMIT_TO_DELIVERED_SECONDS = Histogram(
    "roomwire_commit_to_delivered_seconds",
    "From the PMS's commit until an endpoint acknowledged what it changed.",
    ["endpoint"],
    buckets=SECONDS,
    registry=REGISTRY,
)


def attempted(endpoint: str, outcome: str, seconds: float) -> None:
    """Count a send."""
    ATTEMPTS.labels(endpoint, outcome).inc()
    ATTEMPT_SECONDS.labels(endpoint).observe(seconds)


def delivered(endpoint: str, keys: int, *, committed_at: datetime, version: int, began: float, now: float) -> None:
    """Count what a message delivered.

    Latencies are measured of documents written since `began` (Unix seconds), when this process began to deliver to
    the endpoint: what a first sync or the time before brings would say nothing of how fast it is.
    """
    DELIVERED_KEYS.labels(endpoint).inc(keys)
    written = version / 1e6
    if written >= began:
        DOCUMENT_TO_DELIVERED_SECONDS.labels(endpoint).observe(max(now - written, 0.0))
        COMMIT_TO_DELIVERED_SECONDS.labels(endpoint).observe(max(now - committed_at.timestamp(), 0.0))
