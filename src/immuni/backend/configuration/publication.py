"""Publishing what two people stand behind: the rules, checked anew whoever asks."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.configuration.dangers import new_dangers
from immuni.backend.configuration.draft import changes
from immuni.backend.configuration.rules import SettingEntry, SettingsSet, set_faults
from immuni.backend.configuration.store import (
    Approval,
    Requested,
    load_newest,
    load_version,
    publish,
    requested,
    server_time,
    take_turns,
)
from immuni.backend.errors import InvalidRequestError, RequestIdTakenError, SettingsStaleError


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A set that two people want to be published.

    Attributes:
        entries: The whole set.
        based_on: The version that both had in view.
        author: Who wants it.
        reason: Why.
        approval: Who else does, and the request's id.
        dangers: What it does to phones that both mean.
    """

    entries: Sequence[SettingEntry]
    based_on: int
    author: str
    reason: str
    approval: Approval
    dangers: Collection[str]


async def publish_order(connection: AsyncConnection[TupleRow], order: Order) -> int:
    """Put a set in force that two people want, once.

    Returns:
        Its version. The same order again changes nothing and gets the same: the first answer may
        have been lost.

    Raises:
        InvalidRequestError: It is not two people, a value is not allowed, nothing would change, or
            it does to phones what they did not say that they mean; nothing was written.
        SettingsStaleError: Another set was published since; nothing was written.
        RequestIdTakenError: The request's id stands for something else; nothing was written.
    """
    _require_two(order.author, order.approval.approver)
    async with connection.transaction():
        await take_turns(connection)
        if done := await requested(connection, order.approval.request_id):
            return await _repeated(connection, order, done)
        in_force = await load_newest(connection)
        _vet(order, in_force)
        return await publish(
            connection,
            order.entries,
            author=order.author,
            reason=order.reason,
            now=await server_time(connection),
            based_on=order.based_on,
            approval=order.approval,
        )


def _require_two(author: str, approver: str) -> None:
    if _same_person(author) == _same_person(approver):
        raise InvalidRequestError("author and approver the same")


def _same_person(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


async def _repeated(connection: AsyncConnection[TupleRow], order: Order, done: Requested) -> int:
    published = await load_version(connection, done.version)
    as_ordered = Requested(order.based_on + 1, order.author, order.approval.approver, order.reason)
    if done != as_ordered or changes(published.entries, order.entries):
        raise RequestIdTakenError("request id taken by another publication")
    return done.version


def _vet(order: Order, in_force: SettingsSet) -> None:
    if order.based_on != in_force.version:
        raise SettingsStaleError("another set was published since")
    if faults := set_faults(order.entries):
        raise InvalidRequestError(f"entries not allowed. Faults {len(faults)}")
    if not changes(in_force.entries, order.entries):
        raise InvalidRequestError("nothing would change")
    told = new_dangers(in_force.entries, order.entries)
    if not set(told) <= set(order.dangers):
        raise InvalidRequestError("dangers not meant")
