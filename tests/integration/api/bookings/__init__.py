"""Bookings and holds over the API, on a real server."""
