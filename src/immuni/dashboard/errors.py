"""What the dashboard refuses."""

from immuni.errors import ImmuniError


class NotReleasedError(ImmuniError, LookupError):
    """Nothing was decided about these figures yet: nobody may see them."""
