"""HTTP in: the aiohttp application."""
