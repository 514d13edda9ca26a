"""Passkeys: what browsers are asked, and whether their answers are right.

Source:
    Web Authentication Level 3, sections 7.1 and 7.2, by way of py_webauthn.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from immuni.errors import ImmuniError
from immuni.portal.accounts.account import Account
from immuni.portal.factors.passkey_store import Passkey
from immuni.portal.site import Site

_NAME: Final = "immuni"


class PasskeyError(ImmuniError, PermissionError):
    """What a browser answered is no proof; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read and not yet looked into.

    Attributes:
        credential_id: Which passkey it says it is of.
        challenge: Which challenge it says it answers.
        user_handle: The account that a passkey says it is of; it may say nothing.
        text: The whole of it.
    """

    credential_id: bytes
    challenge: bytes = field(repr=False)
    user_handle: bytes | None
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What a browser has made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


class Passkeys:
    """Asks, and checks the answers: for this site, with a verified user, and nothing less."""

    def __init__(self, site: Site) -> None:
        """Keep for which site passkeys are."""
        self._origin = site.origin
        self._host = site.host

    def creation_options(self, account: Account, challenge: bytes, known: Sequence[Passkey]) -> str:
        """Return what a browser is asked that shall make a passkey, as JSON."""
        options = generate_registration_options(
            rp_id=self._host,
            rp_name=_NAME,
            user_id=handle_of(account.id),
            user_name=account.user,
            user_display_name=account.user,
            challenge=challenge,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_descriptors(known),
        )
        return options_to_json(options)

    def request_options(self, challenge: bytes, allowed: Sequence[Passkey] = ()) -> str:
        """Return what a browser is asked that shall show a passkey, as JSON.

        Args:
            challenge: What it shall sign.
            allowed: Which ones; any that the person chooses where there are none.
        """
        options = generate_authentication_options(
            rp_id=self._host,
            challenge=challenge,
            allow_credentials=_descriptors(allowed),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def read_new(self, text: str) -> Answer:
        """Read the answer to `creation_options`.

        Raises:
            PasskeyError: It is none.
        """
        with _refusing():
            answer = parse_registration_credential_json(text)
            client_data = parse_client_data_json(answer.response.client_data_json)
            return Answer(answer.raw_id, client_data.challenge, None, text)

    def read(self, text: str) -> Answer:
        """Read the answer to `request_options`.

        Raises:
            PasskeyError: It is none.
        """
        with _refusing():
            answer = parse_authentication_credential_json(text)
            client_data = parse_client_data_json(answer.response.client_data_json)
            return Answer(answer.raw_id, client_data.challenge, answer.response.user_handle, text)

    def verify_new(self, answer: Answer) -> NewCredential:
        """Check what a browser has made; that its challenge is ours was checked before.

        Raises:
            PasskeyError: It is for another site, or its user was not verified, or it is wrong.
        """
        with _refusing():
            made = verify_registration_response(
                credential=answer.text,
                expected_challenge=answer.challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
            return NewCredential(made.credential_id, made.credential_public_key, made.sign_count)

    def verify(self, answer: Answer, passkey: Passkey) -> int:
        """Check that a passkey signed, and return what its authenticator has counted by now.

        Raises:
            PasskeyError: It did not, or for another site, or its user was not verified, or it has
                counted no further: then somebody may have made a copy of it.
        """
        if answer.user_handle not in (None, b"", handle_of(passkey.account_id)):
            raise PasskeyError("the passkey says that it is another account's")
        with _refusing():
            verified = verify_authentication_response(
                credential=answer.text,
                expected_challenge=answer.challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
            return verified.new_sign_count


def handle_of(account_id: int) -> bytes:
    """Return by what authenticators know an account: its number, which says nothing of people."""
    return b"account %d" % account_id


def _descriptors(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=each.credential_id) for each in passkeys]


@contextmanager
def _refusing() -> Iterator[None]:
    # Beside its own errors the library lets through those of decoding what a stranger sent.
    try:
        yield
    except (WebAuthnException, ValueError, TypeError, LookupError, RecursionError) as error:
        raise PasskeyError("the browser's answer is not right") from error
