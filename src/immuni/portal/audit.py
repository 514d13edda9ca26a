"""What the audit trail can say."""

from enum import StrEnum


class Action(StrEnum):
    """What somebody did."""

    ACCOUNT_CREATION = "account_creation"
    PASSWORD_CHANGE = "password_change"  # noqa: S105 - names what was done, holds no password
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    AUTHORISATION = "authorisation"


class Outcome(StrEnum):
    """What came of it.

    The last four are also the OTP Service's answers to an authorisation.
    """

    DONE = "done"
    REFUSED = "refused"
    AUTHORISED = "authorised"
    ALREADY_AUTHORISED = "already_authorised"
    UNAVAILABLE = "unavailable"
