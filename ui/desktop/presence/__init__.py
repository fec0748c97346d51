"""What the desktop says of the person: locked, full screen, presenting, away."""
