"""Django's database backend for SQLite, with files of the server's own user."""
