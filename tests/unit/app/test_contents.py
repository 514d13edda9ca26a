from datetime import timedelta

from immuni.api import ConfigurationSettings, ProvinceCode, Upload
from immuni.app.contents import build_upload, describe, newest_keys
from immuni.app.record import StoredSummary
from tests.unit.app.records import TODAY, a_key, a_summary, an_uploadable, days_ago

CHIETI = ProvinceCode("CH")


def built(*summaries: StoredSummary, settings: ConfigurationSettings | None = None) -> Upload:
    return build_upload(
        [],
        summaries,
        province=CHIETI,
        today=TODAY,
        settings=settings or ConfigurationSettings(),
    )


def test_the_fourteen_most_recent_keys_are_sent() -> None:
    keys = [a_key(day=days_ago(age)) for age in range(20)]

    chosen = newest_keys(keys)

    assert set(chosen) == {a_key(day=days_ago(age)) for age in range(14)}


def test_keys_of_one_day_are_told_apart_by_their_ends() -> None:
    released = a_key(day=TODAY, number=1, period=60)
    keys = [released, *(a_key(day=days_ago(age)) for age in range(14))]

    assert a_key(day=days_ago(13)) not in newest_keys(keys)
    assert released in newest_keys(keys)


def test_days_since_the_last_exposure_are_counted_at_the_upload() -> None:
    old = a_summary(detected_on=days_ago(5), last_exposure_day=days_ago(9))

    (summary,) = built(old).exposure_detection_summaries

    assert summary.days_since_last_exposure == 9
    assert summary.date == days_ago(5)


def test_summaries_are_taken_oldest_first_up_to_the_limit() -> None:
    summaries = [a_summary(detected_on=days_ago(age)) for age in (9, 6, 3)]
    settings = ConfigurationSettings(teks_max_summary_count=2)

    chosen = built(*summaries, settings=settings).exposure_detection_summaries

    assert [each.date for each in chosen] == [days_ago(9), days_ago(6)]


def test_infos_are_chosen_by_score_then_day_and_stay_under_their_summaries() -> None:
    first = a_summary(
        infos=(an_uploadable(day=days_ago(2), score=20), an_uploadable(day=days_ago(4), score=50))
    )
    second = a_summary(
        infos=(an_uploadable(day=days_ago(1), score=30), an_uploadable(day=days_ago(3), score=30))
    )
    settings = ConfigurationSettings(teks_max_info_count=2)

    chosen = built(first, second, settings=settings).exposure_detection_summaries

    assert chosen[0].exposure_info == (an_uploadable(day=days_ago(4), score=50),)
    assert chosen[1].exposure_info == (an_uploadable(day=days_ago(3), score=30),)


def test_what_is_older_than_a_fortnight_is_not_sent() -> None:
    old = a_summary(last_exposure_day=days_ago(15), infos=(an_uploadable(day=days_ago(15)),))
    mixed = a_summary(
        infos=(an_uploadable(day=days_ago(14)), an_uploadable(day=days_ago(15))),
    )

    (summary,) = built(old, mixed).exposure_detection_summaries

    assert [each.date for each in summary.exposure_info] == [days_ago(14)]


def test_the_user_sees_counts_and_days_of_exactly_what_is_sent() -> None:
    upload = build_upload(
        [a_key(day=TODAY), a_key(day=days_ago(3))],
        [a_summary(infos=(an_uploadable(day=days_ago(2)),))],
        province=CHIETI,
        today=TODAY,
        settings=ConfigurationSettings(),
    )

    contents = describe(upload)

    assert (contents.key_count, contents.summary_count, contents.info_count) == (2, 1, 1)
    assert (contents.first_day, contents.last_day) == (TODAY - timedelta(days=3), TODAY)
    assert contents.province == CHIETI
