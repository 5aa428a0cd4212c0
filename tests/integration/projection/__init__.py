"""The projector on real servers: what the PMS does, as its change stream tells it, becomes documents."""
