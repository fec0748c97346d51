"""What a person may do with their data: choose, read, take along, correct, delete."""
