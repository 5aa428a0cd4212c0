"""Checks without a server."""
