"""Learning: what an operator needs to know, where and when it is needed."""
