"""The operating system: clock, folders, locks, processes, the keychain."""
