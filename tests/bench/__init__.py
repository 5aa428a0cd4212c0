"""Benchmarks: Roomwire beside the budgets it was built to. `python -m tests.bench --help`."""
