"""A company taken out of a server, checked where it arrives, and closed."""
