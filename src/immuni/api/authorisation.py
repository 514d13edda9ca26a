"""What the health information system sends to the OTP Service.

Source:
    HTTP API, "OTP".
"""

from datetime import date
from typing import Annotated

from msgspec import Meta

from immuni.api.limits import OTP_LENGTH
from immuni.api.messages import Request


class OtpAuthorisation(Request, frozen=True, kw_only=True):
    """Body of ``POST /v1/otp``.

    Attributes:
        otp: Ten characters of the alphabet; the service checks the last against the other nine.
        symptoms_started_on: Day of symptom onset, None where the person has no symptoms.
        tested_on: Day of the test; required where there is no onset.
    """

    otp: Annotated[
        str,
        Meta(
            pattern=r"^[AEFHIJKLQRSUWXYZ1-9]{10}$(?!\n)",
            extra_json_schema={"maxLength": OTP_LENGTH},
        ),
    ]
    symptoms_started_on: date | None = None
    tested_on: date | None = None

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        if self.symptoms_started_on is None and self.tested_on is None:
            raise ValueError("onset or test date missing")
