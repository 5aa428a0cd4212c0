"""Running Roomwire: the demo, the PMS to try it against, images and units."""
