"""Preferences of the person, and the policy of the organisation that can only restrict them."""
