"""Metrics, readiness and log events: what they say, and that all of them are documented."""
