"""Icons, translations, the sample company, and the loader for them."""
