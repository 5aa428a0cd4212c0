"""A small booking engine: it receives webhooks, verifies them, keeps what they say, and shows it on a page."""
