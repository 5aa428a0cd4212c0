"""Prices of nights, against tables made by hand and against an independent computation."""
