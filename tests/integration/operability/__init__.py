"""Looking at the database: what status, metrics and readiness are told."""
