"""Everything said to PostgreSQL."""
