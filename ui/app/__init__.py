"""The program: what is made at its start, who owns what, and how it ends."""
