"""What agents send back: consents, withdrawals and signals."""
