"""Logical replication from PostgreSQL: frames, decoders, the connection that carries them, and its slot."""
