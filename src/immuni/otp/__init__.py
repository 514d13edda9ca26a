"""The one-time password: how it is drawn, checked, written for people and sent.

Pure; the phone makes codes, the portal checks what an operator typed, the services see only hashes.
"""

from immuni.otp.code import (
    ALPHABET,
    GROUPS,
    LOOK_ALIKES,
    OTP_LENGTH,
    InvalidOtpError,
    Otp,
    OtpHash,
    check_digit,
    generate_otp,
    grouped,
    normalise,
    otp_hash,
    parse_otp,
    parse_otp_hash,
)

__all__ = [
    "ALPHABET",
    "GROUPS",
    "LOOK_ALIKES",
    "OTP_LENGTH",
    "InvalidOtpError",
    "Otp",
    "OtpHash",
    "check_digit",
    "generate_otp",
    "grouped",
    "normalise",
    "otp_hash",
    "parse_otp",
    "parse_otp_hash",
]
