"""The record of processing activities (GDPR article 30)."""
