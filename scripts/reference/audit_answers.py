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
    "audit export": Told(exit_codes={2: "no such form, or no such day"}, answers=()),
}
