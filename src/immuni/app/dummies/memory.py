"""What the App remembers for the sake of simulated uploads."""

from datetime import datetime

import msgspec


class Opportunity(msgspec.Struct, frozen=True, kw_only=True):
    """When the next simulated upload may start, by the phone's clock.

    Attributes:
        drawn_at: When it was drawn.
        opens_at: From this moment on: on iOS for the length of a window, elsewhere as soon as the
            App is not in the foreground.
    """

    drawn_at: datetime
    opens_at: datetime
