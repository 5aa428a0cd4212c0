"""What the API says on the wire: every error a problem, every answer with its headers, nothing given away."""
