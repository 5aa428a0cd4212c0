"""The API on a socket."""
