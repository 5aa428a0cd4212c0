"""Delivery, on real servers and to real receivers."""
