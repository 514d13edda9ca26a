"""What an operator may enter, and what it means: decided without I/O."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Self, TypeVar

from immuni.api import OtpAuthorisation, encode
from immuni.errors import ImmuniError
from immuni.portal.authorising.reading import Fault, InvalidFieldError, parse_code

OTHER_DAY: Final = "other"
NO_SYMPTOMS: Final = "none"

Code = TypeVar("Code", bound=str)

_ENTRY_ID: Final = re.compile(r"[0-9a-f]{32}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


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
        otp, day = self.read(parse_code, today=today, max_age=max_age)
        if self.is_without_symptoms:
            return OtpAuthorisation(otp=otp, tested_on=day)
        return OtpAuthorisation(otp=otp, symptoms_started_on=day)

    def read(
        self, code_of: Callable[[str], Code], *, today: date, max_age: timedelta
    ) -> tuple[Code, date]:
        """Return the code and the day, of symptoms or of the test.

        Args:
            code_of: Reads the code, or raises `InvalidFieldError`.
            today: The day where the operator works.
            max_age: How far back a day may lie.

        Raises:
            InvalidEntryError: At least one field is wrong; all of them are named.
        """
        faults: dict[str, Fault] = {}
        code: Code | None = None
        day: date | None = None
        try:
            code = code_of(self.code)
        except InvalidFieldError as error:
            faults["code"] = error.fault
        name, chosen = self._tested if self.is_without_symptoms else self._onset
        try:
            day = parse_day(chosen, today=today, max_age=max_age)
        except InvalidFieldError as error:
            faults[name] = error.fault
        if code is None or day is None:
            raise InvalidEntryError(faults)
        return code, day

    @property
    def is_without_symptoms(self) -> bool:
        """Whether the day is that of the test."""
        return self.onset == NO_SYMPTOMS

    def request_id(self, authorisation: OtpAuthorisation) -> str:
        """Return the id under which exactly this authorisation may be repeated.

        An answer that was lost on its way can be asked for again; with other contents the same
        form gives another id.
        """
        return hashlib.sha256(self.id.encode() + encode(authorisation)).hexdigest()[:32]

    @property
    def _onset(self) -> tuple[str, str]:
        return "onset", self.onset_date if self.onset in (OTHER_DAY, "") else self.onset

    @property
    def _tested(self) -> tuple[str, str]:
        return "tested", self.tested_date if self.tested in (OTHER_DAY, "") else self.tested


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
