"""E-mail to those who work in the console, and to people who are invited: a link, and nothing about anything or anybody."""
