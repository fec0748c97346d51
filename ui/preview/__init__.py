"""`tidings-render`: what people will see of a campaign, drawn by the agent's own windows in a process of its own."""
