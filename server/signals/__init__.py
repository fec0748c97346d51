"""What was shared, under keys of campaigns, and which consents are in force."""
