"""Simulated upload sequences: what looks like a person who uploads, and is nobody."""
