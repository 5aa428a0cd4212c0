"""Who may call the API: keys, tokens, scopes, hotels, addresses, rates, and the record of it."""
