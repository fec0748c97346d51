"""What comes back from people who agreed: seen, click, like; and their consents."""
