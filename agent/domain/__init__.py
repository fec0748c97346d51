"""What everybody talks about: values, limits, errors and the protocols that tests stand in for. Imports nothing of ours."""
