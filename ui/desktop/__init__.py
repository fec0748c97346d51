"""What differs between desktops and operating systems, one file for each behind one function or protocol."""
