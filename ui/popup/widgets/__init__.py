"""What a pop-up and an emergency are made of."""
