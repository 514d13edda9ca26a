"""What clients need that speak HTTP without TLS."""

import ssl
from typing import Final

TRUSTS_NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Saves a client from reading all authorities of the world, which takes longer than most requests.

With TLS it reaches nobody.
"""
