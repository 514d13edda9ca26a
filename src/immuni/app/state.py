"""What the App holds of its user: neutral, at risk, or positive. Pure transitions.

Source:
    Mobile Client, "States of the user".
"""

from datetime import date, timedelta

import msgspec


class Neutral(msgspec.Struct, frozen=True, tag="neutral"):
    """Nothing is known that the user should act upon."""


class AtRisk(msgspec.Struct, frozen=True, tag="at_risk"):
    """The user was near somebody who tested positive.

    Attributes:
        last_contact_day: UTC day of the latest Risky Exposure.
    """

    last_contact_day: date


class Positive(msgspec.Struct, frozen=True, tag="positive"):
    """The user tested positive and uploaded.

    Attributes:
        upload_day: UTC day of the upload.
    """

    upload_day: date


UserState = Neutral | AtRisk | Positive


def is_news(state: UserState, contact_day: date) -> bool:
    """Tell whether a contact on `contact_day` must be told to the user.

    A second contact is told as the first one was, also to somebody who is at risk already, when
    it is later than the one that is known.
    """
    match state:
        case Neutral():
            return True
        case AtRisk(last_contact_day=known):
            return contact_day > known
        case Positive():
            return False


def after_contact(state: UserState, contact_day: date) -> UserState:
    """Return the state after a Risky Exposure on `contact_day`: at risk since the latest one."""
    return AtRisk(contact_day) if is_news(state, contact_day) else state


def after_upload(upload_day: date) -> UserState:
    """Return the state after an upload, whatever it was before."""
    return Positive(upload_day)


def after_dismissal(state: UserState) -> UserState:
    """Return the state after "I have contacted my doctor" or "hide": no longer at risk.

    From any other state nothing changes: the page may have been open since before an upload.
    """
    return Neutral() if isinstance(state, AtRisk) else state


def after_recovery(state: UserState) -> UserState:
    """Return the state after "I have recovered": no longer positive; nothing else changes."""
    return Neutral() if isinstance(state, Positive) else state


def on_day(state: UserState, today: date, *, risk_duration: timedelta) -> UserState:
    """Return what `state` has become by `today`: being at risk ends by itself.

    Args:
        state: The state as it was kept.
        today: The current UTC day.
        risk_duration: How long after the last contact a user counts as at risk.
    """
    if isinstance(state, AtRisk) and today - state.last_contact_day >= risk_duration:
        return Neutral()
    return state
