"""Companies, their people and groups: the tables, and addresses."""
