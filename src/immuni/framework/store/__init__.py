"""What a phone remembers, encrypted: its own keys, what it heard, what came of it."""

from immuni.framework.store.store import RETENTION, Store

__all__ = ["RETENTION", "Store"]
