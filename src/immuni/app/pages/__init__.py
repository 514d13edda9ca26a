"""The App's pages: what a person sees of a phone, served to the device's own browser."""

from immuni.app.pages.application import create_pages

__all__ = ["create_pages"]
