"""The demo: one employee, one company, the whole product. `python -m tests.demo --help`."""
