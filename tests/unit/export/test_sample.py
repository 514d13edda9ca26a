"""The real file of another system."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from immuni.export import (
    SignatureInfo,
    SignatureMismatchError,
    VerificationKey,
    read_export,
    read_signature_infos,
    read_unverified_export,
)
from immuni.keys import TEK_ROLLING_PERIOD, ReportType, day_of
from tests.unit.export.chunks import SAMPLE, SAMPLE_KEY, SAMPLE_PEM, SIGNER

INFO = SignatureInfo(
    verification_key_id="310",
    verification_key_version="v1",
    signature_algorithm="1.2.840.10045.4.3.2",
)


def test_the_sample_verifies_and_says_what_is_known_of_it() -> None:
    export = read_export(SAMPLE, [SAMPLE_KEY])

    assert export.start == datetime(2020, 7, 1, 20, 0, tzinfo=UTC)
    assert export.end == datetime(2020, 7, 1, 20, 5, tzinfo=UTC)
    assert (export.region, export.batch_num, export.batch_size) == ("US", 1, 1)
    assert len(export.keys) == 140
    assert len(export.revised_keys) == 0
    assert export.signature_infos == (INFO,)


def test_a_rolling_period_that_the_file_leaves_out_is_a_day() -> None:
    export = read_export(SAMPLE, [SAMPLE_KEY])

    assert {key.tek.rolling_period for key in export.keys} == {TEK_ROLLING_PERIOD}


def test_the_keys_of_the_sample_have_the_known_days_and_levels() -> None:
    keys = read_export(SAMPLE, [SAMPLE_KEY]).keys

    days = {day_of(key.tek.rolling_start_number) for key in keys}
    levels = Counter(key.transmission_risk_level for key in keys)

    assert (min(days), max(days), len(days)) == (date(2020, 6, 17), date(2020, 6, 30), 14)
    assert (min(levels), max(levels)) == (3, 8)
    assert {key.report_type for key in keys} == {ReportType.UNKNOWN}
    assert {key.days_since_onset_of_symptoms for key in keys} == {None}


def test_an_unverified_reading_says_the_same() -> None:
    assert read_unverified_export(SAMPLE) == read_export(SAMPLE, [SAMPLE_KEY])
    assert read_signature_infos(SAMPLE) == (INFO,)


def test_a_key_in_hand_needs_no_name() -> None:
    assert len(read_export(SAMPLE, [VerificationKey.from_pem(SAMPLE_PEM)]).keys) == 140


@pytest.mark.parametrize(
    "trusted",
    [
        [],
        [SIGNER.verification_key],
        [VerificationKey("310", "v1", SIGNER.private_key.public_key())],
        [VerificationKey("310", "v2", SAMPLE_KEY.public_key)],
        [VerificationKey("222", "v1", SAMPLE_KEY.public_key)],
    ],
    ids=["no key", "another key", "another key of that name", "version", "id"],
)
def test_the_sample_is_refused_without_its_key(trusted: list[VerificationKey]) -> None:
    with pytest.raises(SignatureMismatchError):
        read_export(SAMPLE, trusted)
