"""One's own account: what somebody may change about themselves."""
