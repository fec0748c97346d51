"""Northwind, the company that the demo and the tests show: its people, campaigns, pictures and videos."""
