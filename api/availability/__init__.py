"""What can be booked: the calendar, from the documents, and stays, from the PMS as it is now."""
