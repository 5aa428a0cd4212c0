"""Proof, on real servers."""
