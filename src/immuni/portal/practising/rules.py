"""What happens in an exercise: decided without I/O, and without anything that authorises."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Self

from immuni.entropy import Entropy
from immuni.otp import ALPHABET, OTP_LENGTH, check_digit
from immuni.portal.audit.events import Outcome
from immuni.portal.authorising.rules import Entry
from immuni.portal.practising.codes import PracticeCode, generate_practice_code, is_practice_code
from immuni.web.languages import translatable

SYMPTOMS_BEGAN: Final = timedelta(days=3)
TESTED: Final = timedelta(days=1)
_MISHEARD_PLACE: Final = 5


class Scenario(StrEnum):
    """What the call is like."""

    SMOOTH = "smooth"
    NO_SYMPTOMS = "no_symptoms"
    MISREAD = "misread"
    ALREADY = "already"
    TIME_OVER = "time_over"
    UNAVAILABLE = "unavailable"

    @property
    def following(self) -> "Scenario":
        """The exercise after this one; after the last, the first."""
        every = list(Scenario)
        return every[(every.index(self) + 1) % len(every)]


# In English, for the catalogues.
TITLES: Final[Mapping[Scenario, str]] = {
    Scenario.SMOOTH: translatable("All goes well"),
    Scenario.NO_SYMPTOMS: translatable("No symptoms"),
    Scenario.MISREAD: translatable("A misread character"),
    Scenario.ALREADY: translatable("Authorised already"),
    Scenario.TIME_OVER: translatable("Time over"),
    Scenario.UNAVAILABLE: translatable("Service down"),
}
_OTHER_CODE: Final = translatable("That is a practice code, but not the one of this exercise.")
_OTHER_DAY: Final = translatable("The person named another day: listen once more.")
_OTHER_KIND: Final = translatable("Listen once more: did they speak of symptoms, or of a test?")


@dataclass(frozen=True, slots=True)
class Remark:
    """What an operator did not hear.

    Attributes:
        field: The field in which it shows: ``code``, ``onset`` or ``tested``.
        text: What to say of it, in English.
    """

    field: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One call to practise.

    Attributes:
        scenario: What it is like.
        code: What the phone shows.
        attempt: How often it was sent before.
    """

    scenario: Scenario
    code: PracticeCode
    attempt: int = 0

    @classmethod
    def of(cls, sent: Mapping[str, str], entropy: Entropy) -> Self:
        """Go on with the exercise of a form or of a URL, or begin one.

        Args:
            sent: From name to value; what makes no sense is passed over.
            entropy: Draws the code where there is none yet.
        """
        scenario, code, attempt = (sent.get(name, "") for name in ("scenario", "shown", "attempt"))
        return cls(
            scenario=Scenario(scenario) if scenario in set(Scenario) else Scenario.SMOOTH,
            code=PracticeCode(code) if _is_one(code) else generate_practice_code(entropy),
            attempt=int(attempt) if attempt in ("0", "1") else 0,
        )

    @property
    def heard(self) -> str:
        """What the person reads out first: in one exercise with a slip that no code survives."""
        if self.scenario is not Scenario.MISREAD:
            return self.code
        slips = (self._with_slip(character) for character in ALPHABET)
        return next(each for each in slips if _is_no_code(each))

    @property
    def is_without_symptoms(self) -> bool:
        """Whether the person speaks of a test instead of symptoms."""
        return self.scenario is Scenario.NO_SYMPTOMS

    @property
    def days_ago(self) -> int:
        """How many days ago it was that the symptoms began, or the test was."""
        return (TESTED if self.is_without_symptoms else SYMPTOMS_BEGAN).days

    def remark(self, code: str, day: date, entry: Entry, *, today: date) -> Remark | None:
        """Return what the operator should have heard; nothing where all is right.

        Args:
            code: What was typed, a practice code.
            day: What was chosen.
            entry: Tells of what it is the day.
            today: The day where the operator works.
        """
        if code != self.code:
            return Remark("code", _OTHER_CODE)
        if entry.is_without_symptoms != self.is_without_symptoms:
            return Remark("onset", _OTHER_KIND)
        if day != today - timedelta(days=self.days_ago):
            return Remark("tested" if self.is_without_symptoms else "onset", _OTHER_DAY)
        return None

    def outcome(self) -> Outcome:
        """Return what the service would answer; it is not asked."""
        if self.scenario is Scenario.ALREADY:
            return Outcome.ALREADY_AUTHORISED
        if self.scenario is Scenario.UNAVAILABLE and self.attempt == 0:
            return Outcome.UNAVAILABLE
        return Outcome.AUTHORISED

    def _with_slip(self, character: str) -> str:
        return self.code[:_MISHEARD_PLACE] + character + self.code[_MISHEARD_PLACE + 1 :]


def _is_one(code: str) -> bool:
    return _has_its_characters(code) and is_practice_code(code)


def _is_no_code(code: str) -> bool:
    return not is_practice_code(code) and check_digit(code[:-1]) != code[-1]


def _has_its_characters(code: str) -> bool:
    return len(code) == OTP_LENGTH and all(character in ALPHABET for character in code)
