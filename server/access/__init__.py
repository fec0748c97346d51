"""Who may do what for a company: tokens with a role, and the API for them."""
