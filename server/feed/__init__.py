"""What is assigned to a person, and the files that belong to it."""
