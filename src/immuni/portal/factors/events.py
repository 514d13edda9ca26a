"""What the audit trail says of second factors."""

from collections.abc import Mapping
from datetime import datetime

from immuni.portal.audit.events import Action, Event, Outcome


def done(action: Action, account_id: int, now: datetime, detail: Mapping[str, str | int]) -> Event:
    """Return the event of something that an account did with its own factors."""
    return Event(at=now, action=action, outcome=Outcome.DONE, account_id=account_id, detail=detail)
