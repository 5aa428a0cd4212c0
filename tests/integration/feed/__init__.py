"""The feed's positions."""
