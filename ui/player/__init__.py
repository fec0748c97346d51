"""The video player: a process of its own, so that a decoder's memory comes back and its crash ends one video only."""
