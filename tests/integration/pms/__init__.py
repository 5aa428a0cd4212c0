"""Of the PMS to work against, the truth and the mirror: on real servers."""
