"""Versioned schemas of the backend's databases, as readable SQL."""
