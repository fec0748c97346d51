"""The rights of a person over their own data: to see it, to take it along, to correct it."""
