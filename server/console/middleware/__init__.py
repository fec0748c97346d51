"""What stands between a browser and every page, in the order of `settings.MIDDLEWARE`."""
