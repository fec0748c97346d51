"""What needs the clients of Google and Microsoft: `python3 -m tasks prove-vendors`."""
