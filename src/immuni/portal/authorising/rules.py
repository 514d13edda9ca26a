"""What an operator may enter, and what it means: decided without I/O."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from immuni.api import OtpAuthorisation, encode
from immuni.errors import ImmuniError
from immuni.otp import ALPHABET, OTP_LENGTH, InvalidOtpError, Otp, normalise, parse_otp

OTHER_DAY: Final = "other"
NO_SYMPTOMS: Final = "none"

_ENTRY_ID: Final = re.compile(r"[0-9a-f]{32}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Fault(StrEnum):
    """What is wrong with one field."""

    MISSING = "missing"
    LENGTH = "length"
    CHARACTER = "character"
    CHECK_DIGIT = "check_digit"
    REFUSED = "refused"
    NO_DATE = "no_date"
    FUTURE = "future"
    TOO_OLD = "too_old"


class InvalidFieldError(ImmuniError, ValueError):
    """One field is wrong.

    Attributes:
        fault: In which way.
    """

    def __init__(self, fault: Fault) -> None:
        """Keep the fault; what was typed is not repeated."""
        super().__init__(fault)
        self.fault = fault


class InvalidEntryError(ImmuniError, ValueError):
    """What was entered cannot be authorised; nothing was sent.

    Attributes:
        faults: From the name of a field to what is wrong with it.
    """

    def __init__(self, faults: Mapping[str, Fault]) -> None:
        """Keep all faults, so that they can be mended in one go."""
        super().__init__(", ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The form as it was filled in, to be parsed or shown again.

    Attributes:
        id: 32 hexadecimal digits, drawn with the empty form: pressing the button again with the
            same contents repeats the same request.
        code: The code as it was typed.
        onset: The chosen first day of symptoms: a date, `OTHER_DAY`, `NO_SYMPTOMS` or nothing.
        onset_date: The date that goes with `OTHER_DAY`.
        tested: The chosen day of the test where there are no symptoms: a date or `OTHER_DAY`.
        tested_date: The date that goes with `OTHER_DAY`.
    """

    id: str = field(repr=False)
    code: str = field(default="", repr=False)
    onset: str = ""
    onset_date: str = ""
    tested: str = ""
    tested_date: str = ""

    @classmethod
    def of(cls, form: Mapping[str, str], *, fresh_id: str) -> Self:
        """Take the fields of a form that was sent; those that are missing are empty.

        Args:
            form: From name to value.
            fresh_id: The id where the form's own is missing or malformed.
        """
        names = ("code", "onset", "onset_date", "tested", "tested_date")
        sent_id = form.get("id", "")
        return cls(
            id=sent_id if _ENTRY_ID.fullmatch(sent_id) else fresh_id,
            **{name: form.get(name, "").strip() for name in names},
        )

    def parse(self, *, today: date, max_age: timedelta) -> OtpAuthorisation:
        """Return what is to be authorised.

        Args:
            today: The day where the operator works.
            max_age: How far back a day may lie.

        Raises:
            InvalidEntryError: At least one field is wrong; all of them are named.
        """
        faults: dict[str, Fault] = {}
        otp: Otp | None = None
        day: date | None = None
        try:
            otp = parse_code(self.code)
        except InvalidFieldError as error:
            faults["code"] = error.fault
        without_symptoms = self.onset == NO_SYMPTOMS
        try:
            chosen = self._tested if without_symptoms else self._onset
            day = parse_day(chosen, today=today, max_age=max_age)
        except InvalidFieldError as error:
            faults["tested" if without_symptoms else "onset"] = error.fault
        if otp is None or day is None:
            raise InvalidEntryError(faults)
        if without_symptoms:
            return OtpAuthorisation(otp=otp, tested_on=day)
        return OtpAuthorisation(otp=otp, symptoms_started_on=day)

    def request_id(self, authorisation: OtpAuthorisation) -> str:
        """Return the id under which exactly this authorisation may be repeated.

        An answer that was lost on its way can be asked for again; with other contents the same
        form gives another id.
        """
        return hashlib.sha256(self.id.encode() + encode(authorisation)).hexdigest()[:32]

    @property
    def _onset(self) -> str:
        return self.onset_date if self.onset in (OTHER_DAY, "") else self.onset

    @property
    def _tested(self) -> str:
        return self.tested_date if self.tested in (OTHER_DAY, "") else self.tested


def parse_code(text: str) -> Otp:
    """Return the code that an operator typed, with or without spaces, dashes and capitals.

    Raises:
        InvalidFieldError: It is none.
    """
    code = normalise(text)
    if not code:
        raise InvalidFieldError(Fault.MISSING)
    if any(character not in ALPHABET for character in code):
        raise InvalidFieldError(Fault.CHARACTER)
    if len(code) != OTP_LENGTH:
        raise InvalidFieldError(Fault.LENGTH)
    try:
        return parse_otp(code)
    except InvalidOtpError:
        # The code itself must not travel on in an exception's context.
        raise InvalidFieldError(Fault.CHECK_DIGIT) from None


def parse_day(text: str, *, today: date, max_age: timedelta) -> date:
    """Return the day that an operator chose.

    Raises:
        InvalidFieldError: It is none, lies in the future, or too far back.
    """
    if not text:
        raise InvalidFieldError(Fault.MISSING)
    try:
        # fromisoformat alone would also take week dates and dates without dashes.
        day = date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise InvalidFieldError(Fault.NO_DATE) from None
    if day > today:
        raise InvalidFieldError(Fault.FUTURE)
    if day < today - max_age:
        raise InvalidFieldError(Fault.TOO_OLD)
    return day


def days_before(today: date, count: int) -> list[date]:
    """Return today and the days before it, `count` in all."""
    return [today - timedelta(days=ago) for ago in range(count)]


def life_left(authorised_at: datetime, *, now: datetime, lifetime: timedelta) -> timedelta:
    """Return for how long a code is still sure to live; zero when that is over."""
    return max(authorised_at + lifetime - now, timedelta(0))
