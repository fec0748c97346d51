"""Real parts for tests, the demo and the benchmarks: a desktop, processes, a database, a faulty network."""
