"""Signed answers: made once for all who ask at once, without blocking anybody."""

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from immuni.api import Platform
from immuni.backend.configuration.answers import SettingsAnswers
from immuni.backend.signing import LocalKeySigner, SigningFailedError
from immuni.clock import ManualClock

pytestmark = pytest.mark.anyio

KEY = ec.generate_private_key(ec.SECP256R1())


@dataclass
class SlowSigner:
    """A signer far away: it signs when it is let, or not at all."""

    may_sign: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    is_away: bool = False
    key_id: str = "settings-1"
    key_version: str = "v1"
    public_key: ec.EllipticCurvePublicKey = field(default_factory=KEY.public_key)

    def sign(self, data: bytes) -> bytes:
        self.asked += 1
        self.may_sign.wait(timeout=30)
        if self.is_away:
            raise SigningFailedError("away")
        return LocalKeySigner("settings-1", "v1", KEY).sign(data)


@pytest.fixture
def signer() -> SlowSigner:
    return SlowSigner()


@pytest.fixture
def answers(signer: SlowSigner) -> SettingsAnswers:
    return SettingsAnswers(lambda: signer, ManualClock(datetime(2020, 6, 20, tzinfo=UTC)))


async def test_many_who_ask_at_once_wait_for_one_signature(
    answers: SettingsAnswers, signer: SlowSigner
) -> None:
    waiting = [asyncio.create_task(answers.answer(Platform.IOS, 5)) for _ in range(50)]
    await asyncio.sleep(0)  # All have asked; the event loop is free although nothing is signed.
    waiting.pop().cancel()
    signer.may_sign.set()

    contents = await asyncio.gather(*waiting)

    assert signer.asked == 1
    assert {id(content) for content in contents} == {id(contents[0])}


async def test_after_a_fault_the_next_who_asks_tries_again(
    answers: SettingsAnswers, signer: SlowSigner
) -> None:
    signer.may_sign.set()
    signer.is_away = True
    with pytest.raises(SigningFailedError):
        await answers.answer(Platform.IOS, 5)
    signer.is_away = False

    assert (await answers.answer(Platform.IOS, 5)).body == b"{}"
