"""What was published by one person where the company wants two."""
