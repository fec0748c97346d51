"""What is looked at to tell whether the server is well."""
