"""Roomwire as a process, on real servers: signals, kill -9, and the oracle."""
