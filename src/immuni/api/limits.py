"""Limits of the HTTP API that are the same in every deployment.

Phones in the field and servers rely on them: raising one is an addition to the contract, lowering
one breaks it.

Source:
    HTTP API, "Rules for all" and the tables of each endpoint.
"""

from datetime import timedelta
from typing import Final

MAX_BODY_SIZE: Final = 256 * 1024
"""Bytes of a request's body; a longer one is refused before it is read whole."""
MAX_PADDING_SIZE: Final = 150_000
MAX_TEKS_PER_UPLOAD: Final = 30
MAX_KEYS_WITH_ONE_START: Final = 3
"""Keys that were released during their day share its start with their successors."""
MAX_SUMMARIES: Final = 84
MAX_INFOS: Final = 600
"""Exposure infos in one whole upload, however they are spread over its summaries."""
MAX_COUNTRIES_OF_INTEREST: Final = 27
MAX_ATTENUATION_DURATION_SECONDS: Final = 1800
MAX_TOTAL_RISK_SCORE: Final = 4096
MAX_ATTENUATION_DB: Final = 255
MAX_DAYS_SINCE_LAST_EXPOSURE: Final = 14
MAX_TRANSMISSION_RISK_LEVEL: Final = 8
MAX_COUNT: Final = 2**31 - 1
"""Largest plain count; it fits every column and every phone's integer."""
MAX_BUILD: Final = 20_000
MAX_DEVICE_TOKEN_LENGTH: Final = 10_000
MAX_ATTESTATION_LENGTH: Final = 10_000
SALT_LENGTH: Final = 16
OTP_LENGTH: Final = 10
OTP_TOKEN_DIGITS: Final = 64
"""Hexadecimal digits of an ingestion bearer, that is of SHA-256 of the OTP."""
ANALYTICS_TOKEN_DIGITS: Final = 128
MAX_ERROR_MESSAGE_LENGTH: Final = 64

MAX_DATE_AGE: Final = timedelta(days=180)
"""How old the day of an onset or of a test may be."""
MAX_EXPOSURE_AGE: Final = timedelta(days=15)
"""How old the day of a summary or of an exposure may be."""
