"""One request on its way: from the wire to its handler, and back as an answer or a problem."""
