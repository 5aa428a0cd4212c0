"""WAL in, and the process: replication, capture, settings, the command line."""
