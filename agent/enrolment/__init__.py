"""Connecting this computer to a company, its token, and letting go."""
