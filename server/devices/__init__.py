"""People's computers: how they connect, and the tokens that they prove it with."""
