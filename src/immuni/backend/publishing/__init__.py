"""From uploads to TEK Chunks: which keys, when, with which padding, and never half of it."""
