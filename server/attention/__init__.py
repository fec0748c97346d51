"""What campaigns cost people's attention, as planned, against the budget that the company sets."""
