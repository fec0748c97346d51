"""What is particular about our two databases: sessions, transactions that leave others their turn, long lists in queries."""
