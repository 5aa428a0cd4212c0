"""What stands in the database before Roomwire runs: schema, and work that survives a shaky server."""
