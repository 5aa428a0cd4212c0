"""The Next.js example as its users run it: type-checked, compiled, on Node, in front of a real PostgreSQL."""
