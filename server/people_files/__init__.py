"""Lists of people in files, as directories and spreadsheets write them."""
