"""How Apple recognises us: a signed token in each call, made anew now and then."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from immuni.backend.signing import SigningKeyError, read_private_file

# Apple takes tokens that are up to an hour old, and wants no new one for each call.
_RENEWED_AFTER: Final = timedelta(minutes=20)
_CURVE: Final = "P-256"


class ProviderToken:
    """Signs with the key that Apple gave us."""

    def __init__(self, key: ECKey, *, key_id: str, team_id: str) -> None:
        """Sign as a developer.

        Args:
            key: A private key on P-256.
            key_id: What Apple calls the key.
            team_id: What Apple calls the developer.
        """
        self._key = key
        self._header = {"alg": "ES256", "kid": key_id}
        self._team_id = team_id
        self._made: tuple[datetime, str] | None = None

    @classmethod
    def read(cls, file: Path, *, key_id: str, team_id: str) -> "ProviderToken":
        """Read the key that Apple gave us.

        Raises:
            SigningKeyError: The file cannot be read, is open to others, or holds no such key.
        """
        pem = read_private_file(file)
        try:
            key = ECKey.import_key(pem)
        except (ValueError, JoseError) as error:
            raise SigningKeyError(f"{file}: no key in PEM") from error
        if not key.is_private or key.curve_name != _CURVE:
            raise SigningKeyError(f"{file}: want a private key on {_CURVE}")
        return cls(key, key_id=key_id, team_id=team_id)

    def bearer(self, now: datetime) -> str:
        """Return what the header Authorization says."""
        if self._made is None or not timedelta(0) <= now - self._made[0] < _RENEWED_AFTER:
            claims = {"iss": self._team_id, "iat": int(now.timestamp())}
            self._made = now, jwt.encode(self._header, claims, self._key, algorithms=["ES256"])
        return f"Bearer {self._made[1]}"
