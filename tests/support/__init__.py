"""What tests stand on: servers, databases, the truth and the mirror."""
