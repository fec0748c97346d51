"""Virtual desktops, and a person's eyes and hands on them."""
