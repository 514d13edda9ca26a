"""What leaves the house of analytics: counts of a month with differential privacy, and no other."""
