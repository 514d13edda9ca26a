"""The operator's work: a code, a day, one button, and what to say next."""
