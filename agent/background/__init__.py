"""When things run: the scheduler, and the work that it starts."""
