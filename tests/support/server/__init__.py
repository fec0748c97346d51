"""A campaign server under test, its database, and companies to fill it with."""
