"""What is kept no longer: campaigns close, and rows go."""
