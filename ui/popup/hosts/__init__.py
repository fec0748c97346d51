"""Where a page is put: in a window, over all screens, or as a notification of the desktop."""
