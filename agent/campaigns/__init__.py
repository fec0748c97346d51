"""In: the feed, its media, and what may be shown now and why not."""
