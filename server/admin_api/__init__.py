"""The administration API: what consoles and scripts of a company may ask."""
