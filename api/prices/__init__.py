"""Prices per night and plan, as the PMS has them now."""
