"""One file for each family of pages. They ask for rights, call what commands and the API call, and write no row."""
