"""What each kind of event means, in plain words for auditors."""

from collections.abc import Mapping
from typing import Final

from immuni.portal.audit.events import Action, Outcome
from immuni.web.languages import translatable

MEANINGS: Final[Mapping[Action, str]] = {
    Action.ACCOUNT_CREATION: translatable("An account was made"),
    Action.PASSWORD_CHANGE: translatable("A password was changed"),
    Action.SIGN_IN: translatable("Somebody signed in, or tried to"),
    Action.SIGN_OUT: translatable("Somebody signed out"),
    Action.PAGE: translatable("A page of another role was asked for"),
    Action.PROOF: translatable("Somebody showed again who they are, or tried to"),
    Action.SESSION_COPY: translatable("A session was used in a second browser, and ended"),
    Action.SESSIONS_END: translatable("Sessions were ended"),
    Action.FACTOR_ADDITION: translatable("A second proof was set up"),
    Action.FACTOR_REMOVAL: translatable("A second proof was taken away"),
    Action.FACTOR_RESET: translatable("Somebody's second proofs were reset"),
    Action.RECOVERY_CODES: translatable("Recovery codes were made"),
    Action.RECOVERY_CODE_USE: translatable("A recovery code was used"),
    Action.PROVIDER_LINK: translatable("A sign-in provider was linked to an account"),
    Action.PROVIDER_UNLINK: translatable("A sign-in provider was unlinked from an account"),
    Action.AUTHORISATION: translatable("A code was sent to be authorised"),
    Action.PRACTICE: translatable("Somebody practised with a code that authorises nothing"),
    Action.GUIDE: translatable("Somebody went through the guide"),
    Action.STOP: translatable("Authorising was stopped"),
    Action.RELEASE: translatable("Authorising was allowed again"),
    Action.ALLOWANCE: translatable("More codes were allowed for a day"),
    Action.WARNING_SEEN: translatable("A warning was marked as seen"),
    Action.INVITATION: translatable("Somebody was invited"),
    Action.INVITATION_LINK: translatable("An invitation got a new link"),
    Action.INVITATION_REVOCATION: translatable("An invitation was withdrawn"),
    Action.ACCOUNT_CHANGE: translatable("An account was changed"),
    Action.ACCOUNT_DEACTIVATION: translatable("An account was deactivated"),
    Action.ACCOUNT_REACTIVATION: translatable("An account was activated again"),
    Action.ORGANISATION_CREATION: translatable("An organisation was added"),
    Action.ORGANISATION_CHANGE: translatable("An organisation was changed"),
    Action.ORGANISATION_CLOSING: translatable("An organisation was closed"),
    Action.ORGANISATION_REOPENING: translatable("An organisation was opened again"),
    Action.PEOPLE_IMPORT_CHECK: translatable("An import of people was tried without doing it"),
    Action.PEOPLE_IMPORT: translatable("People were imported"),
    Action.SETTINGS_DRAFT: translatable("A change of the phones' settings was drafted"),
    Action.SETTINGS_PROPOSAL: translatable("A change of the phones' settings was proposed"),
    Action.SETTINGS_APPROVAL: translatable("A change of the phones' settings was approved"),
    Action.SETTINGS_REJECTION: translatable("A change of the phones' settings was rejected"),
    Action.SETTINGS_WITHDRAWAL: translatable("A change of the phones' settings was withdrawn"),
    Action.SETTINGS_PUBLICATION: translatable("The phones' settings were published"),
    Action.AUDIT_READING: translatable("The audit trail was read"),
    Action.AUDIT_EXPORT: translatable("The audit trail was exported"),
    Action.AUDIT_PURGE: translatable("Old events were purged, as the settings say"),
}
"""In the order in which they can be chosen."""
OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.DONE: translatable("Done"),
    Outcome.REFUSED: translatable("Refused"),
    Outcome.AUTHORISED: translatable("Authorised"),
    Outcome.ALREADY_AUTHORISED: translatable("Was authorised already"),
    Outcome.UNAVAILABLE: translatable("The service did not answer"),
}
