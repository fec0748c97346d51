"""Make a company or change it, from its description file."""
