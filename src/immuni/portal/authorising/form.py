"""What the operator's form shows, for real codes and for those to practise with."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from starlette.responses import Response

from immuni.otp import LOOK_ALIKES
from immuni.portal.authorising.reading import Fault, pairs_to_read_again
from immuni.portal.authorising.rules import Entry, days_before
from immuni.portal.desk import Desk
from immuni.portal.door import Visit
from immuni.portal.language import LANGUAGES
from immuni.portal.preferences import keep_spoken, spoken_language

_ONSET_BUTTONS: Final = 8
_TEST_BUTTONS: Final = 4
_ENTRY_ID_BYTES: Final = 16


def form_values(desk: Desk, entry: Entry, faults: Mapping[str, Fault]) -> dict[str, object]:
    """Return what the template of the form needs, apart from what came of an authorisation.

    Args:
        desk: Tells the day, and how far back one may go.
        entry: The form as it was filled in.
        faults: What is wrong with it.
    """
    today = today_at(desk)
    max_age = desk.settings.portal_max_date_age
    return {
        "entry": entry,
        "faults": faults,
        "look_alikes": LOOK_ALIKES,
        "read_again_first": pairs_to_read_again(entry.code),
        "onset_days": days_before(today, _ONSET_BUTTONS),
        "test_days": days_before(today, _TEST_BUTTONS),
        "today": today,
        "earliest": today - max_age,
        "max_days": max_age.days,
        "lifetime_seconds": lifetime_seconds(desk),
    }


def entry_of(desk: Desk, form: Mapping[str, str]) -> Entry:
    """Take a form that was sent, or an empty one, which gets an id of its own."""
    return Entry.of(form, fresh_id=desk.entropy.token(_ENTRY_ID_BYTES).hex())


def today_at(desk: Desk) -> date:
    """Return the day where the operators work."""
    return desk.clock.now().astimezone(desk.settings.portal_time_zone).date()


def lifetime_seconds(desk: Desk) -> int:
    """Return for how long a code lives once it is authorised."""
    return int(desk.settings.otp_lifetime.total_seconds())


def show_speaking(
    desk: Desk, visit: Visit, template: str, *, status: int = 200, **values: object
) -> Response:
    """Return a page with a script to read out, in the language chosen for the person on the phone.

    Args:
        desk: Renders the page.
        visit: Whose page it is; where a form or a link chooses a language it is kept.
        template: The name of its file.
        status: The HTTP status.
        values: What the template shows.
    """
    chosen = chosen_speech(visit)
    answer = desk.pages.render(
        visit.request,
        template,
        session=visit.session,
        status=status,
        spoken=chosen or spoken_language(visit.request, desk.site),
        **values,
    )
    return keep_spoken(answer, desk.site, chosen)


def chosen_speech(visit: Visit) -> str:
    """Return the language that a form chose for what is said on the phone; else nothing."""
    code = visit.form.get("spoken") or visit.request.query_params.get("spoken", "")
    return code if code in LANGUAGES else ""
