"""A company as a whole: in which region its data lies, taking all of it out, bringing it in, closing it."""
