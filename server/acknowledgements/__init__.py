"""“I have read this”: confirmations by name, which a campaign asks for and a person gives deliberately."""
