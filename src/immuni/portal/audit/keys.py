"""The secrets under which the audit trail is chained; they never get into its database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from immuni.entropy import Entropy
from immuni.errors import ImmuniError
from immuni.settings import Kind, parse_named_secrets, render_named_secrets

SECRET_BYTES: Final = 32


class InvalidAuditKeysError(ImmuniError, ValueError):
    """The secrets of the audit trail cannot be used; nothing was appended or verified."""


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """The secrets of the audit trail: the first makes the chain go on, all of them verify it.

    A secret is replaced by putting a new one in front, in all processes of the portal at once. Old
    ones stay for as long as events are kept that were chained under them.

    Attributes:
        secrets: Key id to secret of 32 bytes, the newest first: the chain never goes back from a
            key to an older one, so that one that was stolen after its time forges nothing.

    Privacy:
        Whoever holds the newest secret and may write in the database can forge what is not yet
        told of by a signed head.
    """

    secrets: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse to chain with nothing, or with a secret that can be guessed."""
        if not self.secrets:
            raise InvalidAuditKeysError("the audit trail needs at least one secret, got none")
        for key_id, secret in self.secrets.items():
            if len(secret) != SECRET_BYTES:
                raise InvalidAuditKeysError(
                    f"secret {key_id} must have {SECRET_BYTES} bytes, got {len(secret)}"
                )

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Draw the first secret of a trail."""
        return cls({"audit-1": entropy.token(SECRET_BYTES)})

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``id:hex`` pairs, separated by commas, the newest first.

        Raises:
            InvalidAuditKeysError: A pair is malformed, an id comes twice, or there is none.
        """
        try:
            secrets = parse_named_secrets(text)
        except ValueError as error:
            raise InvalidAuditKeysError(str(error)) from error
        return cls(secrets)

    def render(self) -> str:
        """Write the secrets as `parse` reads them."""
        return render_named_secrets(self.secrets)

    @property
    def current_id(self) -> str:
        """Id of the secret under which the chain goes on."""
        return next(iter(self.secrets))

    def age(self, key_id: str) -> int | None:
        """Return how many keys are newer than one; None where there is no such key."""
        return list(self.secrets).index(key_id) if key_id in self.secrets else None


def _parse_setting(text: str) -> AuditKeys | None:
    return AuditKeys.parse(text) if text else None


AUDIT_KEYS: Final[Kind[AuditKeys | None]] = Kind(
    _parse_setting,
    "pairs id:secret, separated by commas, the newest first, secrets of 32 bytes in hexadecimal",
    lambda keys: keys.render() if keys else "",
)
