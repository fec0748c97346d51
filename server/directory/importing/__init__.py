"""People and groups from a CSV file: bytes → text → columns → people → database.

`text_files` finds the encoding, `formats` recognises whose export it is, `rows` and `cells` check each line
and explain what is wrong, `upsert` writes all of it or nothing.
"""
