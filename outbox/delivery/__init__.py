"""Delivery: getting to every endpoint the newest of what it is behind on."""
