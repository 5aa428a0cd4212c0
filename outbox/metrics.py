"""What delivery measures of itself, for Prometheus. docs/METRICS.md says what each metric is for.

Endpoints are labels by name: they are few. Ids and keys never are.
"""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

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
ENDPOINT_CHANGES = Counter(
    "roomwire_endpoint_changes",
    "Times that this process found an endpoint to be in another state.",
    ["endpoint", "state"],
    registry=REGISTRY,
)
WORKERS = Gauge("roomwire_delivery_workers", "Processes that deliver, as this one knows.", registry=REGISTRY)


class Meter:
    """Measures the sends to one endpoint. Its series are looked up once, for a send should cost next to nothing.

    Latencies are measured of documents written since `began` (Unix seconds), when this process began to deliver to
    the endpoint: what a first sync or the time before brings would say nothing of how fast it is.
    """

    def __init__(self, endpoint: str, began: float) -> None:
        self._began = began
        self._outcomes: dict[str, Counter] = {}
        self._endpoint = endpoint
        self._attempt = ATTEMPT_SECONDS.labels(endpoint)
        self._keys = DELIVERED_KEYS.labels(endpoint)
        self._from_document = DOCUMENT_TO_DELIVERED_SECONDS.labels(endpoint)
        self._from_commit = COMMIT_TO_DELIVERED_SECONDS.labels(endpoint)

    def attempted(self, outcome: str, seconds: float) -> None:
        """Count a send."""
        if outcome not in self._outcomes:
            self._outcomes[outcome] = ATTEMPTS.labels(self._endpoint, outcome)
        self._outcomes[outcome].inc()
        self._attempt.observe(seconds)

    def delivered(self, keys: int, *, committed_at: datetime, version: int, now: float) -> None:
        """Count what a message delivered: so many keys, the newest of this version, acknowledged at `now`."""
        self._keys.inc(keys)
        written = version / 1e6
        if written >= self._began:
            self._from_document.observe(max(now - written, 0.0))
            self._from_commit.observe(max(now - committed_at.timestamp(), 0.0))
