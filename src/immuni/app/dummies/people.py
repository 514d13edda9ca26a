"""How people who upload are taken to behave between their requests: a declared model. Pure.

Nobody has measured it, and nobody may from traffic. What it rests on:

- Times that people take for a screen are skewed to the right, and close to log-normal (W. J. van
  der Linden, "A Lognormal Model for Response Times on Test Items", Journal of Educational and
  Behavioral Statistics 31, 2006).
- Between an accepted check and the upload there are three screens: what will be sent, the
  framework's question, and a last look. A person with an operator on the line mostly presses on.
  Each is given a third of `dummy_teks_average_request_waiting_time`, as whoever chose its default
  must have thought of them.
- A refused check, because the operator has not confirmed yet, is locked for 5 s, then 10 s
  (`immuni.app.lockout`); the person speaks with the operator and presses again.
- An upload that is lost is tried again after a message was read; a code that has expired
  meanwhile is replaced by a new one, which has to be dictated.
- How often all that happens agrees with the default of `dummy_teks_request_probabilities`: of a
  hundred people five stop after the first request, and of the others one in ten needs a third.
- People call while a health service answers: from 8 to 20, evenly.

The pause between two requests of a simulated upload is drawn from the same three screens. Had it
been exponential, a fifth of them would be shorter than any person is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import exp
from typing import Final

from immuni.app.lockout import FIRST_LOCK
from immuni.entropy import Entropy

FIRST_HOUR: Final = 8
LAST_HOUR: Final = 20
SCREENS: Final = 3
"""From an accepted check to the upload."""
SPREAD: Final = 0.6
"""Standard deviation of the logarithm of the time for one screen."""
STOPS: Final = 0.05
"""Share of people who send nothing after their first check."""
REFUSED: Final = 0.06
"""Probability that a check comes before the operator's confirmation."""
LOST: Final = 0.03
"""Probability that an upload gets no answer, or that of a busy server."""
EXPIRED: Final = 0.005
"""Probability that the code has expired when the upload arrives."""
_PRESSING_AGAIN: Final = timedelta(seconds=5)
_DICTATING: Final = timedelta(seconds=40)


@dataclass(frozen=True, slots=True)
class Upload:
    """The requests of one person.

    Attributes:
        pauses: From each answer to the next request; one fewer than there are requests.
        checks: How many of the requests are checks; the others are uploads.
    """

    pauses: tuple[timedelta, ...]
    checks: int

    @property
    def requests(self) -> int:
        """How many requests there are."""
        return len(self.pauses) + 1


def screens_pause(mean: timedelta, entropy: Entropy) -> timedelta:
    """Draw the time for the screens between an accepted check and the upload.

    Args:
        mean: Of all of them together.
        entropy: Draws.
    """
    return sum((_skewed(mean / SCREENS, entropy) for _ in range(SCREENS)), timedelta())


def a_person(mean: timedelta, entropy: Entropy) -> Upload:
    """Draw what one person does, from the first check to the last answer.

    Args:
        mean: Of the time for the screens.
        entropy: Draws.
    """
    pauses = list(_until_accepted(entropy))
    checks = len(pauses) + 1
    if entropy.uniform(0, 1) < STOPS:
        return Upload((), 1)
    pauses.append(screens_pause(mean, entropy))
    while entropy.uniform(0, 1) < LOST:
        pauses.append(_skewed(_PRESSING_AGAIN, entropy))
    if entropy.uniform(0, 1) < EXPIRED:
        pauses += [_skewed(_DICTATING, entropy), screens_pause(mean, entropy)]
        checks += 1
    return Upload(tuple(pauses), checks)


def _until_accepted(entropy: Entropy) -> Sequence[timedelta]:
    pauses: list[timedelta] = []
    while entropy.uniform(0, 1) < REFUSED:
        lock = FIRST_LOCK * 2 ** len(pauses)
        pauses.append(lock + _skewed(_PRESSING_AGAIN, entropy))
    return pauses


def _skewed(mean: timedelta, entropy: Entropy) -> timedelta:
    """Draw from the log-normal distribution with this mean."""
    return mean * exp(entropy.normal(-(SPREAD**2) / 2, SPREAD))
