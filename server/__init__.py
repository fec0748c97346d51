"""The campaign server. It shares a protocol with the agent, and no code."""
