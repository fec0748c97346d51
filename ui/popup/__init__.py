"""The pop-up: one card that pages through all that is due."""
