"""What ``immuni audit`` prints with ``--json``."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from immuni.portal.audit.chain import ChainEnd
from immuni.portal.audit.statements import Statement, StatementKind
from immuni.portal.audit.verifying import Verification
from scripts.reference.told import Answer, Told

_AT: Final = datetime(2026, 11, 20, 10, tzinfo=UTC)


def _verification() -> object:
    end = ChainEnd(last_id=40, mac=bytes(32), key_id="audit-1", events=40)
    head = Statement(kind=StatementKind.HEAD, number=3, at=_AT, end=end)
    return Verification(
        whole_to=41, whole_at=_AT, events=31, purged_to=10, head=head, findings=[], remarks=[]
    ).as_json()


def _event() -> object:
    return {
        "id": 41,
        "at": "2026-11-20T10:00:00+00:00",
        "account_id": 7,
        "user": "anna",
        "organisation": "Ospedale Maggiore",
        "action": "sign_in",
        "outcome": "done",
        "subject": "",
        "detail": {"proof": "password"},
        "key_id": "audit-1",
        "mac": bytes(32).hex(),
    }


AUDIT: Final[Mapping[str, Told]] = {
    "audit verify": Told(
        exit_codes={1: "something is wrong; `findings` say what"},
        answers=(
            Answer(
                _verification,
                {
                    "whole": "whether nothing is wrong",
                    "whole_to": "the last event up to which the chain is whole",
                    "whole_at": "when that was; null where there is none",
                    "events": "how many events are kept up to there",
                    "purged_to": "the last event that was purged; 0 where none was",
                    "head.number": "number of the newest signed head with which the chain agrees",
                    "head.at": "when it was signed",
                    "head.last_id": "the last event of which it tells",
                    "findings[]": "what is wrong, in words",
                    "remarks[]": "what is worth knowing, such as that no head was signed for hours",
                },
            ),
        ),
        note="`head` is null where no head agrees with the chain.",
    ),
    "audit export": Told(
        exit_codes={1: "the database does not answer", 2: "a day that is none"},
        answers=(
            Answer(
                _event,
                {
                    "id": "number of the event",
                    "at": "when it was, in UTC",
                    "account_id": "whose account; null where nobody is known",
                    "user": "its name today; or null",
                    "organisation": "where it works today; or null",
                    "action": "what was done",
                    "outcome": "what came of it",
                    "subject": "what it was done to; may be empty",
                    "detail.proof": "facts, by name; other kinds of events have others",
                    "key_id": "the secret under which it is chained; null from before the chain",
                    "mac": "its code, in hexadecimal; likewise",
                },
            ),
        ),
        note="One line for each event. The columns of the CSV are the same, `detail` as JSON.",
    ),
}
