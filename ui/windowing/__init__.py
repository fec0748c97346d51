"""What all windows need: which are open, what moves to their successor, slow work, messages."""
