"""Settings are read in one place, and every fault is told at once."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.settings import (
    SettingsError,
    choice,
    duration,
    flag,
    gather,
    integer,
    number,
    parse_duration,
    read_all,
    read_settings,
    render_duration,
    setting,
    settings_of,
    text,
    url,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    lifetime: timedelta = setting(
        duration("30s", "1d"), default=timedelta(seconds=150), meaning="How long it lives."
    )
    size: int = setting(integer(1, 30), default=14, meaning="How many.")
    rate: float = setting(number(0, 1), default=0.5, meaning="How often.")
    padded: bool = setting(flag(), default=True, meaning="Whether it is filled up.")
    colour: Colour = setting(choice(Colour), default=Colour.RED, meaning="Which.")
    database: str = setting(
        url("postgresql"), default="postgresql://localhost", meaning="Where.", secret=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    name: str = setting(text(pattern=r"[a-z]+"), default="a", meaning="What it is called.")


def environment(**values: str) -> dict[str, str]:
    return {f"IMMUNI_{name.upper()}": value for name, value in values.items()}


def test_what_nobody_sets_keeps_its_default() -> None:
    assert read_settings(Sample, gather({}, None)) == Sample()


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    file = tmp_path / "immuni.toml"
    file.write_text('size = 3\nlifetime = "1h"\npadded = false\nrate = 0.25\n')

    read = read_settings(Sample, gather(environment(size="4", colour="blue"), file))

    assert read == Sample(
        lifetime=timedelta(hours=1), size=4, padded=False, rate=0.25, colour=Colour.BLUE
    )


def test_all_faults_are_told_at_once_with_name_value_and_what_is_allowed() -> None:
    source = gather(
        environment(size="31", lifetime="5s", rate="nan", padded="perhaps", nane="b"), None
    )

    with pytest.raises(SettingsError) as raised:
        read_all([Sample, Other], source)

    told = "\n".join(raised.value.faults)
    assert len(raised.value.faults) == 5
    assert "size: '31' from IMMUNI_SIZE is not a whole number from 1 to 30" in told
    assert "lifetime: '5s' from IMMUNI_LIFETIME is not a duration from 30s to 1d" in told
    assert "nane: no such setting, from IMMUNI_NANE; did you mean name?" in told


def test_a_secret_shows_in_no_error_and_no_repr() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(Sample, gather(environment(database="mysql://user:marked-secret@x"), None))

    assert "marked-secret" not in str(raised.value)
    assert "marked-secret" not in repr(Sample(database="postgresql://marked-secret"))


@pytest.mark.parametrize("content", ["size = ", "size = [1]", "[table]\nsize = 1\n"])
def test_a_file_that_is_not_plain_toml_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "immuni.toml"
    file.write_text(content)

    with pytest.raises(SettingsError):
        gather({}, file)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        gather({}, tmp_path / "nowhere.toml")


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)))
def test_a_duration_survives_being_written_and_read(value: timedelta) -> None:
    rounded = timedelta(milliseconds=round(value / timedelta(milliseconds=1)))

    assert parse_duration(render_duration(rounded)) == rounded


@pytest.mark.parametrize("wrong", ["", "1x", "-5s", "5 s", "s5", "1h30", "٣s"])
def test_a_wrong_duration_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(wrong)


def test_what_is_declared_can_be_listed() -> None:
    listed = {declared.name: declared for declared in settings_of(Sample)}

    assert listed["lifetime"].kind.render(timedelta(seconds=150)) == "2m30s"
    assert listed["database"].secret
    assert not listed["size"].secret
