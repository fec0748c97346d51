"""The data map and the erasure of people."""
