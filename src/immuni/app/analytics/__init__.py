"""Operational Info: when a phone sends it, what it says, and what vouches for it."""
