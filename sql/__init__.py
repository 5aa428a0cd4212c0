"""Everything said to PostgreSQL: pools, named queries, migrations, and the PMS's tables as typed functions."""
