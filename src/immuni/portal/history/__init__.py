"""What was done: an operator's own day, and the totals of an organisation."""
