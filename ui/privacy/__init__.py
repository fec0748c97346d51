"""Privacy: what I share, what was sent about me, and my data."""
