"""The keys with which an app's backend reads Play Integrity's verdicts.

Source:
    Play Integrity API, "Decrypt and verify the verdict": an AES-256 key and a public key on P-256,
    as the Play Console shows them.
"""

from binascii import a2b_base64
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from immuni.settings import Kind

MAX_PAIRS: Final = 3
"""Each one is tried on every token that none before it opens."""
_KEY_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class PlayIntegrityKeys:
    """One pair of keys.

    Attributes:
        text: As the setting has them.
        decryption_key: AES-256; opens verdicts.
        verification_key: On P-256; of Google's signature under a verdict.

    Privacy:
        Whoever holds the decryption key reads what Play Integrity says of a phone whose token he
        has.
    """

    text: str = field(repr=False)
    decryption_key: bytes = field(repr=False)
    verification_key: ec.EllipticCurvePublicKey = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``decryption:verification``, both in the base64 of the Play Console.

        Raises:
            ValueError: They are no such keys.
        """
        decryption, verification = (a2b_base64(each, strict_mode=True) for each in text.split(":"))
        if len(decryption) != _KEY_LENGTH:
            raise ValueError(f"a decryption key has {_KEY_LENGTH} bytes, got {len(decryption)}")
        return cls(text, decryption, _on_p256(verification))


def _on_p256(der: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(der)
    except UnsupportedAlgorithm:
        key = None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("a verification key is a public key on P-256")


def _parse_setting(text: str) -> tuple[PlayIntegrityKeys, ...]:
    pairs = [PlayIntegrityKeys.parse(each) for each in text.split(",")] if text else []
    if len(pairs) > MAX_PAIRS:
        raise ValueError
    return tuple(pairs)


PLAY_INTEGRITY_KEYS: Final[Kind[tuple[PlayIntegrityKeys, ...]]] = Kind(
    _parse_setting,
    f"up to {MAX_PAIRS} pairs decryption:verification in the base64 of the Play Console, separated "
    "by commas",
    lambda pairs: ",".join(each.text for each in pairs),
)
