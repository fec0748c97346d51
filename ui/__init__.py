"""The agent's windows, in Qt, over ``agent.runtime``."""
