"""The app that a stand-in attests."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AndroidApp:
    """An app as Android knows it.

    Attributes:
        package_name: Its name, in the form of a Java package.
        certificate_digest: SHA-256 of the certificate that it is signed with.
    """

    package_name: str
    certificate_digest: bytes
