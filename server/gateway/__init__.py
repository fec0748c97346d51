"""Between the line and Django: bodies are received whole, under a deadline, before they take anybody's place."""
