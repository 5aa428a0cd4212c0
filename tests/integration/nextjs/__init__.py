"""The Next.js example, in front of a real PostgreSQL."""
