"""The internal side of App Configuration, as the portal asks it."""

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Final, Self, TypeVar

import httpx
import msgspec

from immuni.api import ErrorBody, ErrorCode, MalformedAnswerError, encode, parse_answer
from immuni.api.headers import JSON_CONTENT_TYPE, REQUEST_ID
from immuni.api.settings_authoring import (
    CheckSettings,
    EntryToPublish,
    Publication,
    PublishedEntry,
    PublishedSettings,
    PublishSettings,
    SettingsCheck,
    SettingsHistory,
    SettingsReceipt,
)
from immuni.errors import ImmuniError
from immuni.portal.internal_services import over_mutual_tls
from immuni.telemetry import logger
from immuni.web import MutualTls

_PATH: Final = "/v1/configuration"
_ATTEMPTS: Final = 2
_TIMEOUT: Final = timedelta(seconds=10)

M = TypeVar("M", bound=msgspec.Struct)
_log: Final = logger("portal")


class SettingsServiceUnavailableError(ImmuniError):
    """Nothing can be said: whether something was published, the same request tells later."""


class VersionUnknownError(ImmuniError, LookupError):
    """No set of that version was ever published."""


class SetStaleError(ImmuniError):
    """Another set was published since; nothing was published."""


class SetRefusedError(ImmuniError, ValueError):
    """The service does not take a set; nothing was published."""


class SettingsService:
    """Tells what is published, what a change would do, and publishes."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """Use a client whose base URL is the service's and whose certificate it accepts."""
        self._http = http

    @classmethod
    def over_mutual_tls(cls, base_url: str, *, tls: MutualTls) -> Self:
        """Make a client that shows a certificate.

        Raises:
            OSError: A file cannot be read.
            ssl.SSLError: A file is not what it should be.
        """
        return cls(over_mutual_tls(base_url, tls=tls, timeout=_TIMEOUT))

    async def in_force(self) -> PublishedSettings:
        """Return the set that phones live by.

        Raises:
            SettingsServiceUnavailableError: The service does not answer.
        """
        return _read(PublishedSettings, await self._ask("GET", "/in-force"))

    async def version(self, number: int) -> PublishedSettings:
        """Return a set that is or was in force; that of version 0 has no entries.

        Raises:
            VersionUnknownError: There is none.
            SettingsServiceUnavailableError: The service does not answer.
        """
        if number == 0:
            return PublishedSettings(version=0, entries=())
        return _read(PublishedSettings, await self._ask("GET", f"/versions/{number}"))

    async def history(self) -> Sequence[Publication]:
        """Return who published what, the newest first.

        Raises:
            SettingsServiceUnavailableError: The service does not answer.
        """
        return _read(SettingsHistory, await self._ask("GET", "/versions")).publications

    async def check(
        self, entries: Sequence[PublishedEntry], *, against: int | None = None
    ) -> SettingsCheck:
        """Return what publishing a set would do.

        Args:
            entries: The whole set.
            against: The version that it is compared with; None for the one in force.

        Raises:
            SetRefusedError: The service does not understand it.
            VersionUnknownError: There is none to compare with.
            SettingsServiceUnavailableError: The service does not answer.
        """
        body = CheckSettings(entries=_to_publish(entries), against=against)
        return _read(SettingsCheck, await self._ask("POST", "/check", body))

    async def publish(
        self,
        entries: Sequence[PublishedEntry],
        *,
        based_on: int,
        author: str,
        approver: str,
        reason: str,
        dangers: Sequence[str],
        request_id: str,
    ) -> int:
        """Put a set in force; the same request again changes nothing and tells the same version.

        Returns:
            The version that it became.

        Raises:
            SetStaleError: Another set was published since.
            SetRefusedError: It breaks a rule.
            SettingsServiceUnavailableError: Nobody knows whether it was published.
        """
        body = PublishSettings(
            entries=_to_publish(entries),
            based_on=based_on,
            author=author,
            approver=approver,
            reason=reason,
            dangers=tuple(dangers),
        )
        answer = await self._ask("POST", "/publish", body, request_id=request_id)
        return _read(SettingsReceipt, answer).version

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _ask(
        self, method: str, path: str, body: msgspec.Struct | None = None, *, request_id: str = ""
    ) -> bytes:
        headers = {"Content-Type": JSON_CONTENT_TYPE} if body is not None else {}
        if request_id:
            headers[REQUEST_ID] = request_id
        content = None if body is None else encode(body)
        for _ in range(_ATTEMPTS):
            try:
                answer = await self._http.request(
                    method, f"{_PATH}{path}", content=content, headers=headers
                )
            except httpx.TransportError as error:
                _log.warning("settings_service_unreachable", error=type(error).__name__)
                continue
            if answer.status_code == HTTPStatus.OK:
                return answer.content
            raise _refusal(answer)
        raise SettingsServiceUnavailableError("the service does not answer")


def _refusal(answer: httpx.Response) -> ImmuniError:
    try:
        told = parse_answer(ErrorBody, answer.content)
    except MalformedAnswerError:
        told = ErrorBody(error_code=ErrorCode.GENERAL, message="malformed answer")
    known = {
        ErrorCode.SETTINGS_STALE: SetStaleError,
        ErrorCode.SETTINGS_VERSION_UNKNOWN: VersionUnknownError,
        ErrorCode.MALFORMED_REQUEST: SetRefusedError,
        ErrorCode.REQUEST_ID_TAKEN: SetRefusedError,
    }
    if answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return SetRefusedError(told.message)
    if told.error_code in known:
        return known[ErrorCode(told.error_code)](told.message)
    _log.warning("settings_service_unavailable", status=answer.status_code)
    return SettingsServiceUnavailableError(told.message)


def _read(kind: type[M], answer: bytes) -> M:
    try:
        return parse_answer(kind, answer)
    except MalformedAnswerError as error:
        raise SettingsServiceUnavailableError("the service answers otherwise") from error


def _to_publish(entries: Sequence[PublishedEntry]) -> tuple[EntryToPublish, ...]:
    return tuple(
        EntryToPublish(
            platform=each.platform,
            name=each.name,
            from_build=each.from_build,
            value=each.value,
            withdrawn=each.withdrawn,
        )
        for each in entries
    )
