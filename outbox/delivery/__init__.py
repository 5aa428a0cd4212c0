"""Delivery: getting to every endpoint the newest of what it is behind on."""

from outbox.delivery.pump import Timing
from outbox.delivery.worker import run_delivery

__all__ = ["Timing", "run_delivery"]
