"""Of the daemon: what needs no server."""
