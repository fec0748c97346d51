"""Pictures, videos, captions and logos: what is taken, and where it is kept."""
