"""Quotes: the price of a stay, signed, so that a booking can be held to what its guest saw."""
