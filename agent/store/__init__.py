"""The agent's store: SQLite files in the data folder. The only package that imports sqlite3."""
