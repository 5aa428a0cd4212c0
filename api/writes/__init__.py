"""Writes that are done once, however often they are asked for: turns, transaction and stored answer."""
