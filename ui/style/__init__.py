"""Colours, fonts, the style sheet, the icon, and how numbers and times are written."""
