"""What the API measures of itself, for Prometheus. docs/METRICS.md says what each metric is for."""

from functools import lru_cache

from prometheus_client import Counter, Histogram

from outbox.metrics import REGISTRY

REQUESTS = Counter(
    "roomwire_api_requests",
    "Requests, by route, method and status.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "roomwire_api_request_duration_seconds",
    "From a request's headers to its answer.",
    ["route", "method"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.015, 0.03, 0.06, 0.1, 0.2, 0.5, 1, 2, 5, 10),
    registry=REGISTRY,
)
AUDIT_LOST = Counter(
    "roomwire_api_audit_lines_lost",
    "Lines of the audit log that are not in it: pushed_out by others that waited, or refused by the database.",
    ["outcome"],
    registry=REGISTRY,
)
# At 0 from the start: a series that appears with its first lost line has not risen for an alert on its increase.
for _outcome in ("pushed_out", "refused"):
    AUDIT_LOST.labels(_outcome)

_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE"}


def answered(route: str, method: str, status: int, seconds: float) -> None:
    """Count a request. route: its template; methods that we do not know share a series."""
    method = method if method in _METHODS else "other"
    requests, durations = _series(route, method, status)
    requests.inc()
    durations.observe(seconds)


@lru_cache(maxsize=4096)
def _series(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """Finding a series costs more than counting."""
    return REQUESTS.labels(route, method, status), REQUEST_SECONDS.labels(route, method)
