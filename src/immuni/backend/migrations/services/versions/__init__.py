"""One file per step, in one line of descent."""
