"""The whole story without hands: real servers, three virtual phones, one operator.

Nothing is made up but the air between the phones and the days that they have behind them.
"""

from immuni.demo.story import Told, tell_story
from immuni.demo.verdict import StoryFailedError

__all__ = ["StoryFailedError", "Told", "tell_story"]
