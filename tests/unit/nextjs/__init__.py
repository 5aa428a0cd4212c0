"""The Next.js example, without a database."""
