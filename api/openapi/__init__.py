"""What the API says of itself: the OpenAPI document, its page, and a page for every error."""
