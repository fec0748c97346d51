"""What every room may use: values, files, errors, limits. It knows no table."""
