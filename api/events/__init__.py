"""The feed: what has changed, to be pulled from a position on or followed as it happens."""
