"""The pure parts of the outbox."""
