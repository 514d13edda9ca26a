from datetime import UTC, datetime

import pytest

from immuni.clock import ManualClock
from immuni.entropy import SeededEntropy
from immuni.portal.factors.challenges import LIFETIME, ChallengeError, Challenges, Purpose
from immuni.portal.factors.keys import FactorKeys
from immuni.portal.signing_in.session import CookieSecret

START = datetime(2020, 6, 20, 12, tzinfo=UTC)
ENTROPY = SeededEntropy("challenges")
HERE, ELSEWHERE = CookieSecret.draw(ENTROPY), CookieSecret.draw(ENTROPY)


def challenges(clock: ManualClock) -> Challenges:
    return Challenges(FactorKeys({"k": bytes(32)}), clock=clock, entropy=ENTROPY)


def test_another_process_takes_what_one_made_until_it_expires() -> None:
    clock = ManualClock(START)
    challenge = challenges(clock).make(Purpose.PROVE, HERE, account_id=1)

    until = challenges(clock).check(challenge, Purpose.PROVE, HERE, account_id=1)
    clock.set(until)

    assert until == START + LIFETIME
    with pytest.raises(ChallengeError):
        challenges(clock).check(challenge, Purpose.PROVE, HERE, account_id=1)


def test_it_is_for_one_browser_one_purpose_and_one_account() -> None:
    made = challenges(ManualClock(START))
    challenge = made.make(Purpose.PROVE, HERE, account_id=1)

    for purpose, browser, account_id in (
        (Purpose.ADD, HERE, 1),
        (Purpose.PROVE, ELSEWHERE, 1),
        (Purpose.PROVE, None, 1),
        (Purpose.PROVE, HERE, 2),
    ):
        with pytest.raises(ChallengeError):
            made.check(challenge, purpose, browser, account_id=account_id)


def test_whatever_is_changed_is_none_of_ours() -> None:
    made = challenges(ManualClock(START))
    challenge = made.make(Purpose.SIGN_IN, HERE)

    for place in range(len(challenge)):
        changed = bytearray(challenge)
        changed[place] ^= 1
        with pytest.raises(ChallengeError):
            made.check(bytes(changed), Purpose.SIGN_IN, HERE)
    for other in (b"", challenge[:-1], challenge + b"\0"):
        with pytest.raises(ChallengeError):
            made.check(other, Purpose.SIGN_IN, HERE)
