"""Keys and signed documents (JWS)."""
