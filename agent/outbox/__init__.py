"""Out: an interaction, past the gate, into the queue, to the server, and the log of what was sent."""
