"""No widget: the way to the agent, threads, timers, errors."""
