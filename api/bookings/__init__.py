"""Bookings and holds that a booking engine makes: each is one transaction."""
