"""The demo's booking engine, without I/O."""
