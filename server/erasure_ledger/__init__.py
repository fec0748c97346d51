"""What was erased and withdrawn, kept outside the database, so that no restored backup brings it back."""
