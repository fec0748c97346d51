"""The console: pages for the people who write, approve, answer for and watch over what the company announces."""
