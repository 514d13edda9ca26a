"""What the audit trail can say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Action(StrEnum):
    """What somebody did."""

    ACCOUNT_CREATION = "account_creation"
    PASSWORD_CHANGE = "password_change"  # noqa: S105 - names what was done, holds no password
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    PAGE = "page"
    PROOF = "proof"
    SESSION_COPY = "session_copy"
    SESSIONS_END = "sessions_end"
    PROVIDER_LINK = "provider_link"
    PROVIDER_UNLINK = "provider_unlink"
    AUDIT_READING = "audit_reading"
    AUDIT_EXPORT = "audit_export"
    AUDIT_PURGE = "audit_purge"
    FACTOR_ADDITION = "factor_addition"
    FACTOR_REMOVAL = "factor_removal"
    FACTOR_RESET = "factor_reset"
    RECOVERY_CODES = "recovery_codes"
    RECOVERY_CODE_USE = "recovery_code_use"
    AUTHORISATION = "authorisation"
    PRACTICE = "practice"
    GUIDE = "guide"
    STOP = "stop"
    RELEASE = "release"
    ALLOWANCE = "allowance"
    WARNING_SEEN = "warning_seen"
    INVITATION = "invitation"
    INVITATION_LINK = "invitation_link"
    INVITATION_REVOCATION = "invitation_revocation"
    ACCOUNT_CHANGE = "account_change"
    ACCOUNT_DEACTIVATION = "account_deactivation"
    ACCOUNT_REACTIVATION = "account_reactivation"
    ORGANISATION_CREATION = "organisation_creation"
    ORGANISATION_CHANGE = "organisation_change"
    ORGANISATION_CLOSING = "organisation_closing"
    ORGANISATION_REOPENING = "organisation_reopening"
    PEOPLE_IMPORT_CHECK = "people_import_check"
    PEOPLE_IMPORT = "people_import"
    SETTINGS_DRAFT = "settings_draft"
    SETTINGS_PROPOSAL = "settings_proposal"
    SETTINGS_APPROVAL = "settings_approval"
    SETTINGS_REJECTION = "settings_rejection"
    SETTINGS_WITHDRAWAL = "settings_withdrawal"
    SETTINGS_PUBLICATION = "settings_publication"


class Outcome(StrEnum):
    """What came of it.

    The last four are also the OTP Service's answers to an authorisation.
    """

    DONE = "done"
    REFUSED = "refused"
    AUTHORISED = "authorised"
    ALREADY_AUTHORISED = "already_authorised"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that somebody did.

    Attributes:
        at: When.
        action: What.
        outcome: What came of it.
        account_id: Who did it; None where nobody is known, such as at a refused sign-in: the name
            that was typed is not kept, since people type their password there.
        subject: What it was done to, where that is not the account itself: ``account 12``,
            ``organisation 3``, ``settings 7``.
        detail: Facts that a reader needs, by name. Never a code or its hash, a password, a secret
            or the name of somebody who has no account.
    """

    at: datetime
    action: Action
    outcome: Outcome
    account_id: int | None
    subject: str = ""
    detail: Mapping[str, str | int] = field(default_factory=dict)
