"""What administrators do over HTTP: look after endpoints, deliveries and replays."""
