"""Screens of the agent: the gallery, its reference pictures, and what is shown in them."""
