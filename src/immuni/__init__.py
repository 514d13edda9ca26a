"""A privacy-preserving exposure notification system for a whole country."""

from importlib.metadata import version

__version__ = version("immuni")
