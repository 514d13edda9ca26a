from datetime import UTC, date, datetime, timedelta

import pytest

from immuni.api.authorisation import OtpAuthorisation
from immuni.backend.errors import InvalidRequestError
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.otp.rules import vet
from immuni.entropy import SeededEntropy
from immuni.otp import generate_otp, otp_hash

NOW = datetime(2020, 6, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
OTP = generate_otp(SeededEntropy("otp"))


def test_a_code_is_authorised_by_its_hash() -> None:
    body = OtpAuthorisation(otp=OTP, symptoms_started_on=TODAY)

    authorisation = vet(body, "id-1", now=NOW)

    assert authorisation.otp == otp_hash(OTP)
    assert authorisation.diagnosis == Diagnosis(TODAY, None)
    assert authorisation.request_id == "id-1"
    assert OTP not in repr(authorisation)
    assert otp_hash(OTP) not in repr(authorisation)


def test_the_test_date_counts_only_where_there_is_no_onset() -> None:
    onset = TODAY - timedelta(days=3)
    both = OtpAuthorisation(otp=OTP, symptoms_started_on=onset, tested_on=TODAY)
    test_alone = OtpAuthorisation(otp=OTP, tested_on=TODAY)

    assert vet(both, None, now=NOW).diagnosis == Diagnosis(onset, None)
    assert vet(test_alone, None, now=NOW).diagnosis == Diagnosis(None, TODAY)


def test_a_wrong_check_digit_is_refused() -> None:
    wrong = OTP[:-1] + ("A" if OTP[-1] != "A" else "E")

    with pytest.raises(InvalidRequestError, match="check digit"):
        vet(OtpAuthorisation(otp=wrong, symptoms_started_on=TODAY), None, now=NOW)


@pytest.mark.parametrize(
    ("now", "day", "accepted"),
    [
        # At 10:00 UTC it is midnight, so tomorrow, at UTC+14.
        (datetime(2020, 6, 20, 9, 59, tzinfo=UTC), date(2020, 6, 21), False),
        (datetime(2020, 6, 20, 10, 0, tzinfo=UTC), date(2020, 6, 21), True),
        # At 11:59 UTC it is still yesterday at UTC-12, from where 180 days are counted.
        (datetime(2020, 6, 20, 11, 59, tzinfo=UTC), date(2019, 12, 22), True),
        (datetime(2020, 6, 20, 12, 0, tzinfo=UTC), date(2019, 12, 22), False),
        (datetime(2020, 6, 20, 12, 0, tzinfo=UTC), date(2019, 12, 23), True),
    ],
)
@pytest.mark.parametrize("member", ["symptoms_started_on", "tested_on"])
def test_a_date_is_of_the_last_180_days_somewhere_on_earth(
    now: datetime, day: date, member: str, *, accepted: bool
) -> None:
    body = OtpAuthorisation(**{"otp": OTP, "symptoms_started_on": TODAY, member: day})  # type: ignore[arg-type]  # by name

    if accepted:
        vet(body, None, now=now)
    else:
        with pytest.raises(InvalidRequestError, match="out of range"):
            vet(body, None, now=now)
