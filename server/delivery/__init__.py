"""What an agent does with the server: enrol, poll the feed, fetch files, leave."""
