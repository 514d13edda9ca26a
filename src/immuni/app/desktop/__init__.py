"""What an App on a Linux desktop has in place of a phone's platform."""

from immuni.app.desktop.browser import BrowserError, ask_for_page, open_in_browser
from immuni.app.desktop.notifier import DesktopNotifier

__all__ = ["BrowserError", "DesktopNotifier", "ask_for_page", "open_in_browser"]
