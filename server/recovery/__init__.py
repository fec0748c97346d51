"""What is brought back: a restored backup, a company from its archive, keys after a theft."""
