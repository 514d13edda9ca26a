"""Keys of the backend: who signs, who seals, and how their files are kept."""

import stat
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from immuni.backend.epidemiological import (
    EpidemiologicalInfo,
    OnsetClass,
    onset_class,
    open_epidemiological,
    seal_epidemiological,
)
from immuni.backend.sealing import (
    OpeningKey,
    Sealed,
    SealingKey,
    UnsealableError,
    create_sealing_key,
)
from immuni.backend.signing import LocalKeySigner, SigningKeyError, create_signing_key

DAY = date(2020, 6, 20)


def test_a_made_key_signs_what_its_public_half_verifies(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    create_signing_key(path)
    signer = LocalKeySigner.read(path, key_id="222", key_version="v2")

    public = serialization.load_pem_public_key(signer.public_pem())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signer.sign(b"data"), b"data", ec.ECDSA(SHA256()))
    assert (signer.key_id, signer.key_version) == ("222", "v2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "rivate" not in repr(signer)


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    create_signing_key(tmp_path / "key.pem")

    with pytest.raises(SigningKeyError):
        create_signing_key(tmp_path / "key.pem")


def test_an_open_file_is_refused_unless_it_is_encrypted(tmp_path: Path) -> None:
    plain, encrypted = tmp_path / "plain.pem", tmp_path / "encrypted.pem"
    create_signing_key(plain)
    create_signing_key(encrypted, password=b"secret")
    for path in (plain, encrypted):
        path.chmod(0o644)

    with pytest.raises(SigningKeyError, match="open to others"):
        LocalKeySigner.read(plain, key_id="222")
    LocalKeySigner.read(encrypted, key_id="222", password=b"secret").sign(b"data")
    with pytest.raises(SigningKeyError):
        LocalKeySigner.read(encrypted, key_id="222", password=b"wrong")
    with pytest.raises(SigningKeyError):
        LocalKeySigner.read(encrypted, key_id="222")


def test_a_file_with_something_else_is_refused(tmp_path: Path) -> None:
    create_sealing_key(tmp_path / "private.pem", tmp_path / "public.pem")
    create_signing_key(tmp_path / "signing.pem")
    (tmp_path / "text.pem").write_text("hello")
    (tmp_path / "text.pem").chmod(0o600)

    for name in ("private.pem", "public.pem", "text.pem", "missing.pem"):
        with pytest.raises(SigningKeyError):
            LocalKeySigner.read(tmp_path / name, key_id="222")
    for name in ("private.pem", "text.pem", "missing.pem"):
        with pytest.raises(SigningKeyError):
            SealingKey.read(tmp_path / name, key_id="a")
    for name in ("public.pem", "signing.pem", "text.pem", "missing.pem"):
        with pytest.raises(SigningKeyError):
            OpeningKey.read(tmp_path / name, key_id="a")


@pytest.fixture
def pair(tmp_path: Path) -> tuple[SealingKey, OpeningKey]:
    create_sealing_key(tmp_path / "private.pem", tmp_path / "public.pem")
    return (
        SealingKey.read(tmp_path / "public.pem", key_id="analytics-1"),
        OpeningKey.read(tmp_path / "private.pem", key_id="analytics-1"),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=20_000))
def test_what_is_sealed_opens(pair: tuple[SealingKey, OpeningKey], content: bytes) -> None:
    sealing, opening = pair

    assert opening.open(sealing.seal(content, purpose="a"), purpose="a") == content


def test_the_size_of_what_is_sealed_says_little(pair: tuple[SealingKey, OpeningKey]) -> None:
    sealing, _ = pair

    sizes = {len(sealing.seal(bytes(size), purpose="a").ciphertext) for size in range(0, 8000, 500)}

    assert len(sizes) == 1


def test_nothing_else_opens(pair: tuple[SealingKey, OpeningKey]) -> None:
    sealing, opening = pair
    sealed = sealing.seal(b"content", purpose="a")
    last = sealed.ciphertext[-1] ^ 1
    damaged = Sealed(sealed.key_id, sealed.ciphertext[:-1] + bytes([last]))
    other = Sealed("analytics-2", sealed.ciphertext)

    with pytest.raises(UnsealableError):
        opening.open(sealed, purpose="b")
    for bad in (damaged, other, Sealed(sealed.key_id, b"")):
        with pytest.raises(UnsealableError):
            opening.open(bad, purpose="a")


def test_epidemiological_info_survives_being_sealed(
    pair: tuple[SealingKey, OpeningKey],
) -> None:
    info = EpidemiologicalInfo(province="CH", onset=OnsetClass.DAYS_3_TO_5, summaries=())

    assert open_epidemiological(seal_epidemiological([info], pair[0]), pair[1]) == (info,)


def test_what_is_sealed_together_does_not_tell_its_order(
    pair: tuple[SealingKey, OpeningKey],
) -> None:
    infos = [
        EpidemiologicalInfo(province=province, onset=OnsetClass.NO_SYMPTOMS, summaries=())
        for province in ("RM", "CH", "RM", "AG")
    ]

    opened = {
        open_epidemiological(seal_epidemiological(order, pair[0]), pair[1])
        for order in (infos, infos[::-1], infos[2:] + infos[:2])
    }

    assert [[info.province for info in each] for each in opened] == [["AG", "CH", "RM", "RM"]]


@pytest.mark.parametrize(
    ("days", "expected"),
    [(-1, "0-2"), (0, "0-2"), (2, "0-2"), (3, "3-5"), (5, "3-5"), (9, "6-9"), (10, "10+")],
)
def test_an_onset_is_told_as_a_coarse_class(days: int, expected: str) -> None:
    assert onset_class(DAY - timedelta(days=days), uploaded_on=DAY) == expected
    assert onset_class(None, uploaded_on=DAY) == "none"
