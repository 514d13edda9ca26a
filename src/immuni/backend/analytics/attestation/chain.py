"""From the certificates in a token to a key that Google's host is known by.

Source:
    RFC 5280, 6 (path validation); RFC 7515, 4.1.6 (``x5c``); RFC 6125 (host names).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import Certificate, DNSName, NameConstraints, load_der_x509_certificate
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store

from immuni.backend.analytics.attestation.reading import from_base64
from immuni.backend.analytics.attestation.rules import AttestationRefusedError, Refusal, require

MAX_CERTIFICATES: Final = 4
"""Google's chains have three at most, and some senders add the root."""
_HOST: Final = DNSName("attest.android.com")
_MAX_RSA_BITS: Final = 4096
_MAX_EXPONENT: Final = 65537
# Constraints on names times names are the one check whose cost grows faster than what was sent.
# Google's authorities have none.
_AUTHORITIES: Final = ExtensionPolicy.webpki_defaults_ca().require_not_present(NameConstraints)
_POLICY: Final = (
    PolicyBuilder()
    .max_chain_depth(MAX_CERTIFICATES)
    .extension_policies(ca_policy=_AUTHORITIES, ee_policy=ExtensionPolicy.webpki_defaults_ee())
)

LeafKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class TrustRoots:
    """Certificates that a chain must end at."""

    def __init__(self, roots: Sequence[Certificate]) -> None:
        """Trust these, and nothing of the system's."""
        self._store = Store(list(roots))

    def key_of(self, x5c: Sequence[str], now: datetime) -> LeafKey:
        """Return the key of the first certificate, once the chain from it is valid.

        The library validates as browsers do: signatures, validity, names, authorities, lengths and
        uses. It does not ask whether a certificate was revoked.

        Args:
            x5c: DER in base64, the host's certificate first.
            now: When it must be valid.

        Raises:
            AttestationRefusedError: No chain of valid certificates leads to a root.
        """
        require(0 < len(x5c) <= MAX_CERTIFICATES, Refusal.CERTIFICATE)
        encoded = [from_base64(each) for each in x5c]
        try:
            return self._validated([load_der_x509_certificate(each) for each in encoded], now)
        except AttestationRefusedError:
            raise
        except Exception as error:
            # What a stranger's certificate makes the parser raise is no closed list, and all of it
            # means the same.
            raise AttestationRefusedError(Refusal.CERTIFICATE) from error

    def _validated(self, chain: list[Certificate], now: datetime) -> LeafKey:
        require(all(is_cheap(each) for each in chain), Refusal.CERTIFICATE)
        # Certificates that could stand for each other make as many paths as there are orders.
        require(len({each.subject for each in chain}) == len(chain), Refusal.CERTIFICATE)
        policy = _POLICY.store(self._store).time(now)
        policy.build_server_verifier(_HOST).verify(chain[0], chain[1:])
        key = chain[0].public_key()
        if not isinstance(key, LeafKey):
            raise AttestationRefusedError(Refusal.CERTIFICATE)
        return key


def is_cheap(certificate: Certificate) -> bool:
    """Whether signatures under its key cost little to check: a sender chooses the key."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size <= _MAX_RSA_BITS and key.public_numbers().e <= _MAX_EXPONENT
    return isinstance(key, ec.EllipticCurvePublicKey)
