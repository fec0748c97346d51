"""What the person allows: the rules, the gate, and the record on disk."""
