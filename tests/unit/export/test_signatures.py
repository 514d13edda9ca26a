"""Who is believed to have signed."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from immuni.export import (
    Export,
    InvalidVerificationKeyError,
    SignatureMismatchError,
    VerificationKey,
    read_export,
    read_signature_infos,
    write_export,
)
from immuni.export.container import Container, read_container, write_container
from immuni.export.proto.export_pb2 import TEKSignatureList
from tests.unit.export.chunks import SAMPLE_PEM, SIGNER, Signer, a_key, an_export

EXPORT: Export = an_export(a_key())


def resigned(data: bytes, **changes: str) -> bytes:
    """Return `data` with what its signature says about itself changed."""
    container = read_container(data)
    message = TEKSignatureList.FromString(container.export_sig)
    for name, value in changes.items():
        setattr(message.signatures[0].signature_info, name, value)
    return write_container(Container(container.export_bin, message.SerializeToString()))


def test_during_a_rotation_either_key_is_enough() -> None:
    old, new = Signer(key_version="v1"), Signer(key_version="v2")
    data = write_export(EXPORT, [old, new])

    assert read_export(data, [old.verification_key]) == read_export(data, [new.verification_key])
    assert [info.verification_key_version for info in read_signature_infos(data)] == ["v1", "v2"]


OLD, NEW = Signer(key_version="v1"), Signer(key_version="v2")
BOTH = [OLD, NEW]


@pytest.mark.parametrize("signers", [[OLD], [NEW], BOTH, [NEW, OLD]])
@pytest.mark.parametrize("trusted", [[OLD], [NEW], BOTH, [NEW, OLD]])
def test_any_one_key_of_a_set_is_enough_and_none_other(
    signers: list[Signer], trusted: list[Signer]
) -> None:
    data = write_export(EXPORT, signers)
    keys = [signer.verification_key for signer in trusted]

    if any(signer in trusted for signer in signers):
        assert len(read_export(data, keys).keys) == 1
    else:
        with pytest.raises(SignatureMismatchError):
            read_export(data, keys)


def test_two_keys_of_one_name_are_both_tried() -> None:
    twin = Signer()
    keys = [twin.verification_key, SIGNER.verification_key]

    assert len(read_export(write_export(EXPORT, [SIGNER]), keys).keys) == 1
    assert len(read_export(write_export(EXPORT, [twin, SIGNER]), keys[1:]).keys) == 1


def test_a_signature_of_a_trusted_key_under_another_name_does_not_count() -> None:
    renamed = resigned(write_export(EXPORT, [SIGNER]), verification_key_version="v2")

    with pytest.raises(SignatureMismatchError):
        read_export(renamed, [SIGNER.verification_key])


def test_a_good_signature_beside_a_bad_one_is_enough() -> None:
    impostor = Signer()
    data = write_export(EXPORT, [impostor, SIGNER])

    assert len(read_export(data, [SIGNER.verification_key]).keys) == 1


def test_the_signature_covers_every_byte_of_export_bin() -> None:
    container = read_container(write_export(EXPORT, [SIGNER]))

    for place in range(len(container.export_bin)):
        changed = bytearray(container.export_bin)
        changed[place] ^= 1
        data = write_container(Container(bytes(changed), container.export_sig))
        with pytest.raises(SignatureMismatchError):
            read_export(data, [SIGNER.verification_key])


def test_a_signature_that_names_another_algorithm_does_not_count() -> None:
    data = resigned(write_export(EXPORT, [SIGNER]), signature_algorithm="1.2.840.10045.4.3.3")

    with pytest.raises(SignatureMismatchError):
        read_export(data, [SIGNER.verification_key])


def test_a_file_that_leaves_the_algorithm_out_means_the_only_one() -> None:
    data = resigned(write_export(EXPORT, [SIGNER]), signature_algorithm="")

    assert len(read_export(data, [SIGNER.verification_key]).keys) == 1


def test_a_signature_that_is_not_der_does_not_count() -> None:
    class Scribbler(Signer):
        def sign(self, data: bytes) -> bytes:
            return data[:8]

    with pytest.raises(SignatureMismatchError):
        read_export(write_export(EXPORT, [Scribbler()]), [SIGNER.verification_key])


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n",
        SAMPLE_PEM[:80],
        Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        generate_private_key(SECP384R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ],
    ids=["nothing", "nonsense", "cut off", "another kind", "another curve"],
)
def test_only_a_public_key_on_p_256_is_a_verification_key(pem: bytes) -> None:
    with pytest.raises(InvalidVerificationKeyError):
        VerificationKey.from_pem(pem)
