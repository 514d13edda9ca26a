"""Hospitals and regions: from when each authorises, and until when."""
