"""Epidemiological Info on its way from ingestion to analytics.

Ingestion seals it in the upload's transaction, together with that of all uploads that share the
transaction; a job carries it over; analytics opens it. It holds no key, no identifier, no code, and
no time finer than a day.

Source:
    Analytics, "Epidemiological Info".
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Final

from immuni.api import ExposureDetectionSummaryUpload, Request, encode, parse_request
from immuni.backend.sealing import OpeningKey, Sealed, SealingKey

_PURPOSE: Final = "immuni epidemiological info v1"


class OnsetClass(StrEnum):
    """How many days before the upload the symptoms began, coarsely."""

    DAYS_0_TO_2 = "0-2"
    DAYS_3_TO_5 = "3-5"
    DAYS_6_TO_9 = "6-9"
    DAYS_10_OR_MORE = "10+"
    NO_SYMPTOMS = "none"


_LAST_DAYS: Final = (
    (2, OnsetClass.DAYS_0_TO_2),
    (5, OnsetClass.DAYS_3_TO_5),
    (9, OnsetClass.DAYS_6_TO_9),
)


class EpidemiologicalInfo(Request, frozen=True, kw_only=True):
    """What one upload tells about the epidemic."""

    province: str
    onset: OnsetClass
    summaries: tuple[ExposureDetectionSummaryUpload, ...]


def onset_class(onset: date | None, *, uploaded_on: date) -> OnsetClass:
    """Return the class of an onset, seen from the day of the upload.

    Args:
        onset: Day of symptom onset, None where the person has no symptoms. It may be a day later
            than `uploaded_on` on the other side of the Earth.
        uploaded_on: Day of receipt, in UTC.
    """
    if onset is None:
        return OnsetClass.NO_SYMPTOMS
    days = (uploaded_on - onset).days
    return next((each for last, each in _LAST_DAYS if days <= last), OnsetClass.DAYS_10_OR_MORE)


class _Contents(Request, frozen=True, kw_only=True):
    infos: tuple[EpidemiologicalInfo, ...]


def seal_epidemiological(infos: Iterable[EpidemiologicalInfo], key: SealingKey) -> Sealed:
    """Seal what uploads tell for analytics, one or several together.

    Privacy:
        In the order of the contents, which does not say in which the uploads came.
    """
    contents = _Contents(infos=tuple(sorted(infos, key=encode)))
    return key.seal(encode(contents), purpose=_PURPOSE)


def open_epidemiological(sealed: Sealed, key: OpeningKey) -> tuple[EpidemiologicalInfo, ...]:
    """Return what ingestion sealed, one for each upload.

    Raises:
        UnsealableError: It was sealed to another key, or is damaged.
        MalformedRequestError: It opens, and is not what ingestion seals.
    """
    return parse_request(_Contents, key.open(sealed, purpose=_PURPOSE)).infos
