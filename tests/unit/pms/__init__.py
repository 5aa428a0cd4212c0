"""Of the PMS to work against, and of the mirror: what needs no server."""
