"""Checks on real servers."""
