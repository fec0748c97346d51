"""How commands ask the agent that runs."""
