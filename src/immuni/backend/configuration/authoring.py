"""The internal side of App Configuration: where the portal looks at sets, and publishes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.api import MalformedRequestError, encode, examples
from immuni.api.headers import REQUEST_ID, parse_request_id
from immuni.api.limits import MAX_COUNT
from immuni.api.settings_authoring import (
    CheckSettings,
    EntryToPublish,
    Publication,
    PublishedEntry,
    PublishedSettings,
    PublishSettings,
    SettingsChange,
    SettingsCheck,
    SettingsHistory,
    SettingsReceipt,
)
from immuni.backend.configuration.dangers import new_dangers
from immuni.backend.configuration.draft import changes
from immuni.backend.configuration.publication import Order, publish_order
from immuni.backend.configuration.rules import UNPUBLISHED, SettingEntry, SettingsSet, set_faults
from immuni.backend.configuration.store import (
    Approval,
    UnknownVersionError,
    history,
    load_newest,
    load_version,
)
from immuni.backend.connections import require_answer, transaction
from immuni.backend.errors import (
    InvalidRequestError,
    RequestIdTakenError,
    SettingsStaleError,
    SettingsVersionUnknownError,
    UnavailableError,
)
from immuni.database import Pool
from immuni.web import Call, Endpoint, Method, Parameter, Place, Reply, Service

_VERSION: Final = Parameter(
    name="version",
    place=Place.PATH,
    description="Number of a set that was published.",
    low=1,
    high=MAX_COUNT,
    example="1",
)
_REQUEST_ID: Final = Parameter(
    name=REQUEST_ID,
    place=Place.HEADER,
    description="A new name of this request; the same name and body again publish nothing more.",
    pattern=r"[A-Za-z0-9-]{1,64}",
    example=examples.REQUEST_ID,
)


@dataclass(frozen=True, slots=True)
class AuthoringHandlers:
    """What the endpoints do.

    Attributes:
        pool: Connections of a login that may read sets and add one.
    """

    pool: Pool

    async def in_force(self, _call: Call[None]) -> Reply:
        """Return the set that phones live by."""
        async with transaction(self.pool) as connection:
            found = await load_newest(connection)
        return Reply(body=encode(_told(found)))

    async def versions(self, _call: Call[None]) -> Reply:
        """Return who published what, when and why."""
        async with transaction(self.pool) as connection:
            found = await history(connection)
        publications = tuple(
            Publication(
                version=each.version,
                published_at=each.published_at,
                author=each.author,
                approver=each.approver,
                reason=each.reason,
                entry_count=each.entry_count,
            )
            for each in found
        )
        return Reply(body=encode(SettingsHistory(publications=publications)))

    async def version(self, call: Call[None]) -> Reply:
        """Return a set that is or was in force.

        Raises:
            SettingsVersionUnknownError: There is none of that version.
        """
        async with transaction(self.pool) as connection:
            found = await _load(connection, int(call.path["version"]))
        return Reply(body=encode(_told(found)))

    async def check(self, call: Call[CheckSettings]) -> Reply:
        """Return what publishing a set would do; nothing is kept.

        Raises:
            SettingsVersionUnknownError: There is none of the version to compare with.
        """
        async with transaction(self.pool) as connection:
            before = await _load(connection, call.body.against)
        entries = _entries(call.body.entries)
        faults = set_faults(entries)
        found = SettingsCheck(
            against=before.version,
            faults=tuple(faults),
            changes=() if faults else _changes(before.entries, entries),
            dangers=() if faults else tuple(new_dangers(before.entries, entries)),
        )
        return Reply(body=encode(found))

    async def publish(self, call: Call[PublishSettings]) -> Reply:
        """Put a set in force that two people want.

        Raises:
            MalformedRequestError: The request's id is missing or malformed.
            InvalidRequestError: The set, or who wants it, breaks a rule.
            SettingsStaleError: Another set was published since.
            RequestIdTakenError: The request's id stands for something else.
        """
        request_id = parse_request_id(call.headers.one(REQUEST_ID))
        if request_id is None:
            raise MalformedRequestError("header Immuni Request Id missing")
        body = call.body
        order = Order(
            entries=_entries(body.entries),
            based_on=body.based_on,
            author=body.author,
            reason=body.reason,
            approval=Approval(body.approver, request_id),
            dangers=body.dangers,
        )
        async with transaction(self.pool) as connection:
            version = await publish_order(connection, order)
        return Reply(body=encode(SettingsReceipt(version=version)))


def authoring_service(*, pool: Pool) -> Service:
    """Build the service on a pool of connections of ``immuni_settings_author``.

    It must be served over mutual TLS only: it asks nobody who they are, and writes down the names
    that it is told. It goes on when the service has ended, so that an end can be taken back.
    """
    handlers = AuthoringHandlers(pool)
    return Service(
        name="settings",
        title="Settings' authors",
        endpoints=(*_writing(handlers), *_reading(handlers)),
        is_ready=partial(require_answer, pool),
    )


def _reading(handlers: AuthoringHandlers) -> Sequence[Endpoint[None]]:
    return (
        Endpoint(
            method=Method.GET,
            path="/v1/configuration/in-force",
            summary="Fetch the set in force",
            handler=handlers.in_force,
            replies={HTTPStatus.OK: PublishedSettings},
            reply_examples={HTTPStatus.OK: examples.SETTINGS_IN_FORCE},
            errors=(UnavailableError,),
        ),
        Endpoint(
            method=Method.GET,
            path="/v1/configuration/versions",
            summary="List what was published",
            handler=handlers.versions,
            replies={HTTPStatus.OK: SettingsHistory},
            reply_examples={HTTPStatus.OK: examples.SETTINGS_HISTORY},
            errors=(UnavailableError,),
        ),
        Endpoint(
            method=Method.GET,
            path="/v1/configuration/versions/{version}",
            summary="Fetch a set that was published",
            handler=handlers.version,
            replies={HTTPStatus.OK: PublishedSettings},
            reply_examples={HTTPStatus.OK: examples.SETTINGS_IN_FORCE},
            parameters=(_VERSION,),
            errors=(SettingsVersionUnknownError, UnavailableError),
        ),
    )


def _writing(
    handlers: AuthoringHandlers,
) -> tuple[Endpoint[CheckSettings], Endpoint[PublishSettings]]:
    return (
        Endpoint(
            method=Method.POST,
            path="/v1/configuration/check",
            summary="Tell what publishing a set would do",
            handler=handlers.check,
            request=CheckSettings,
            example=examples.CHECK_SETTINGS,
            replies={HTTPStatus.OK: SettingsCheck},
            reply_examples={HTTPStatus.OK: examples.SETTINGS_CHECK},
            errors=(MalformedRequestError, SettingsVersionUnknownError, UnavailableError),
        ),
        Endpoint(
            method=Method.POST,
            path="/v1/configuration/publish",
            summary="Publish a set that two people want",
            handler=handlers.publish,
            request=PublishSettings,
            example=examples.PUBLISH_SETTINGS,
            replies={HTTPStatus.OK: SettingsReceipt},
            reply_examples={HTTPStatus.OK: examples.SETTINGS_RECEIPT},
            parameters=(_REQUEST_ID,),
            errors=(
                MalformedRequestError,
                InvalidRequestError,
                SettingsStaleError,
                RequestIdTakenError,
                UnavailableError,
            ),
        ),
    )


async def _load(connection: AsyncConnection[TupleRow], version: int | None) -> SettingsSet:
    if version is None:
        return await load_newest(connection)
    if version == UNPUBLISHED.version:
        return UNPUBLISHED
    try:
        return await load_version(connection, version)
    except UnknownVersionError:
        raise SettingsVersionUnknownError("no settings of this version") from None


def _told(found: SettingsSet) -> PublishedSettings:
    entries = sorted(
        found.entries, key=lambda each: (each.name, each.platform, each.starting_build)
    )
    return PublishedSettings(version=found.version, entries=tuple(map(_entry_told, entries)))


def _changes(
    before: Sequence[SettingEntry], after: Sequence[SettingEntry]
) -> tuple[SettingsChange, ...]:
    return tuple(
        SettingsChange(
            before=_entry_told(each.before) if each.before else None,
            after=_entry_told(each.after) if each.after else None,
        )
        for each in changes(before, after)
    )


def _entry_told(entry: SettingEntry) -> PublishedEntry:
    return PublishedEntry(
        platform=entry.platform,
        name=entry.name,
        from_build=entry.starting_build,
        value=entry.value,
        withdrawn=entry.withdrawn,
    )


def _entries(read: Sequence[EntryToPublish]) -> tuple[SettingEntry, ...]:
    return tuple(
        SettingEntry(
            each.platform,
            each.name,
            each.from_build,
            None if each.withdrawn else each.value,
            each.withdrawn,
        )
        for each in read
    )
