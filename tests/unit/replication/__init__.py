"""Frames, decoders and policies of replication, without a server."""
