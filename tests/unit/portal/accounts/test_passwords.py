import asyncio

import pytest

from immuni.entropy import SeededEntropy
from immuni.portal.accounts.passwords import PasswordKeeper, PasswordsBusyError, WeakPasswordError

PASSWORD = "correct horse battery"


@pytest.fixture
def passwords() -> PasswordKeeper:
    return PasswordKeeper(SeededEntropy("passwords"))


@pytest.mark.anyio
async def test_a_password_fits_its_own_hash_only(passwords: PasswordKeeper) -> None:
    stored = await passwords.hash(PASSWORD)

    assert await passwords.verify(stored, PASSWORD)
    assert not await passwords.verify(stored, PASSWORD + "!")


@pytest.mark.anyio
async def test_hashes_are_argon2id_with_the_parameters_that_were_decided(
    passwords: PasswordKeeper,
) -> None:
    assert (await passwords.hash(PASSWORD)).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.anyio
async def test_the_same_password_has_another_hash_each_time(passwords: PasswordKeeper) -> None:
    assert await passwords.hash(PASSWORD) != await passwords.hash(PASSWORD)


@pytest.mark.anyio
async def test_nobody_has_no_password(passwords: PasswordKeeper) -> None:
    assert not await passwords.verify(None, PASSWORD)


@pytest.mark.anyio
async def test_the_same_letters_from_another_keyboard_fit(passwords: PasswordKeeper) -> None:
    stored = await passwords.hash("perche\u0301 no? si\u0300!")

    assert await passwords.verify(stored, "perch\u00e9 no? s\u00ec!")


@pytest.mark.anyio
@pytest.mark.parametrize("length", [0, 11, 129])
async def test_a_new_password_must_have_a_bearable_length(
    passwords: PasswordKeeper, length: int
) -> None:
    with pytest.raises(WeakPasswordError, match=f"12 to 128 characters, got {length}"):
        await passwords.hash("x" * length)


@pytest.mark.anyio
async def test_a_burst_is_refused_beyond_what_may_wait_and_served_afterwards(
    passwords: PasswordKeeper,
) -> None:
    stored = await passwords.hash(PASSWORD)

    burst = await asyncio.gather(
        *(passwords.verify(stored, PASSWORD) for _ in range(60)), return_exceptions=True
    )

    assert burst.count(True) >= 32
    assert all(answer is True or isinstance(answer, PasswordsBusyError) for answer in burst)
    assert any(isinstance(answer, PasswordsBusyError) for answer in burst)
    assert await passwords.verify(stored, PASSWORD)
