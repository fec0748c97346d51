"""An agent under test, in memory and as a process, and what it talks to."""
