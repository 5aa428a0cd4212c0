"""The demo's parts, with a real database and real HTTP."""
