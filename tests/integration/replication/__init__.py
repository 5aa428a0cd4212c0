"""Replication against real servers: every plugin that each of them has."""
