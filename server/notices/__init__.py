"""A new version of the privacy notice: proposed in the console, looked at by somebody else, and put in force."""
