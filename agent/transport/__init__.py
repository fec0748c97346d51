"""HTTP: the one client, its connections, and which proxy leads where."""
