"""What the booking engine should know, and getting it there."""
