"""True pictures of a campaign, drawn by the agent's program in a process that can do nothing else."""
