"""What capture measures of itself, for Prometheus. docs/METRICS.md says what each metric is for."""

from prometheus_client import Histogram

from outbox.metrics import REGISTRY, SECONDS

BATCH_KEYS = Histogram(
    "roomwire_capture_batch_keys",
    "Keys that one transaction of ours recomputed.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 100_000),
    registry=REGISTRY,
)
BATCH_SECONDS = Histogram(
    "roomwire_capture_batch_duration_seconds",
    "How long a batch took, from looking whether it is visible to its commit.",
    buckets=SECONDS,
    registry=REGISTRY,
)
COMMIT_TO_DOCUMENT_SECONDS = Histogram(
    "roomwire_commit_to_document_seconds",
    "From the PMS's commit to the documents: the oldest commit of each batch.",
    buckets=SECONDS,
    registry=REGISTRY,
)
