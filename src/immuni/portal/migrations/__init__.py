"""The portal's own database, step by step."""
