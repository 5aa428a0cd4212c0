"""Administration over the API: endpoints, deliveries and replays, and who may know of which."""
