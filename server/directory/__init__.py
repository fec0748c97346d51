"""Companies, their notices, their people and groups."""
