"""Changing settings in a draft of one's own, until it is proposed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from immuni.api import Platform
from immuni.api.limits import MAX_BUILD
from immuni.api.settings_authoring import PublishedEntry, PublishedSettings
from immuni.portal.accounts.roles import Permission
from immuni.portal.configuring.fields import (
    FieldFault,
    InvalidValueError,
    default_of,
    fields_of,
    may_be_nothing,
    texts_of,
    value_typed,
)
from immuni.portal.configuring.rules import Draft, Place, merged, places
from immuni.portal.configuring.service import SetRefusedError
from immuni.portal.configuring.showing import SET_LIMITS, Configuring, dangers_in, reason_in
from immuni.portal.configuring.wording import WORDINGS
from immuni.portal.door import Visit

_UNPROCESSABLE = 422


class Act(StrEnum):
    """What is to be done at a place of the set."""

    VALUE = "value"
    NOTHING = "nothing"
    """The value is null."""
    WITHDRAW = "withdraw"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The form of one setting as it was filled in.

    Attributes:
        name: The setting.
        act: What is to be done.
        platforms: For which phones.
        from_build: From which build on, as it was typed.
        form: The fields of the value.
    """

    name: str
    act: Act
    platforms: Sequence[Platform]
    from_build: str
    form: Mapping[str, str]

    @classmethod
    def of(cls, form: Mapping[str, str], name: str) -> Self:
        """Take the fields of a form that was sent."""
        act = form.get("act", "")
        return cls(
            name=name,
            act=Act(act) if act in set(Act) else Act.VALUE,
            platforms=[each for each in Platform if form.get(each) == "on"],
            from_build=form.get("from_build", "").strip(),
            form=form,
        )

    @property
    def build(self) -> int:
        """From which build on; 0 where that is none."""
        text = self.from_build
        build = int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0
        return build if build <= MAX_BUILD else 0

    def places(self) -> list[Place]:
        """Return where the set changes."""
        return [(self.name, platform, self.build) for platform in self.platforms]

    def applied_to(self, draft: Draft) -> Draft:
        """Return the draft with the change.

        Raises:
            InvalidValueError: What was typed is no value of the setting.
        """
        if self.act is Act.REMOVE:
            return draft.without(self.places())
        value = value_typed(self.name, self.form) if self.act is Act.VALUE else None
        return draft.with_entries(
            PublishedEntry(
                platform=platform,
                name=self.name,
                from_build=self.build,
                value=value,
                withdrawn=self.act is Act.WITHDRAW,
            )
            for platform in self.platforms
        )


class DraftingPages:
    """One form for each setting, and the draft that they change."""

    def __init__(self, parts: Configuring) -> None:
        """Keep what the pages need."""
        self._parts = parts

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, needs = self._parts.door.page, Permission.MANAGE_SETTINGS
        return [
            page("/settings/change/{name}", self.show_form, needs=needs),
            page(
                "/settings/change/{name}",
                self.change,
                needs=needs,
                method="POST",
                limits=SET_LIMITS,
            ),
            page("/settings/draft", self.show, needs=needs),
            page("/settings/draft", self.propose, needs=needs, method="POST", limits=SET_LIMITS),
            page("/settings/draft/undo", self.undo, needs=needs, method="POST"),
            page("/settings/draft/discard", self.discard, needs=needs, method="POST"),
            page("/settings/draft/renew", self.renew, needs=needs, method="POST"),
        ]

    async def show_form(self, visit: Visit) -> Response:
        """Show the form of a setting, as it is in the draft or in force."""
        name = _name(visit)
        query = visit.request.query_params
        draft, _ = await self._draft(visit)
        build = query.get("build", "1")
        wanted = query.get("platform", "")
        platforms = [each for each in Platform if wanted in ("", each)] or list(Platform)
        edit = Edit(name=name, act=Act.VALUE, platforms=platforms, from_build=build, form={})
        held = places(draft.entries).get((name, platforms[0], edit.build))
        value = held.value if held and not held.withdrawn else default_of(name)
        act = Act.VALUE
        if held is not None and held.withdrawn:
            act = Act.WITHDRAW
        elif held is not None and held.value is None:
            act = Act.NOTHING
        return self._form(visit, draft, edit, act=act, texts=texts_of(name, value))

    async def change(self, visit: Visit) -> Response:
        """Take a change into the draft; where it is not allowed, what was typed stays."""
        name = _name(visit)
        edit = Edit.of(visit.form, name)
        draft, _ = await self._draft(visit)
        faults: Mapping[str, FieldFault] = {}
        told: Sequence[str] = ()
        if edit.build and edit.platforms:
            try:
                changed = edit.applied_to(draft)
                told = (await self._parts.service.check(changed.entries)).faults
                if not told:
                    await self._parts.store.save_draft(
                        visit.account, changed, changed=name, now=self._parts.now
                    )
                    return self._parts.to("/settings/draft")
            except InvalidValueError as error:
                faults = error.faults
            except SetRefusedError as error:
                told = (str(error),)
        return self._form(
            visit,
            draft,
            edit,
            act=edit.act,
            texts={each.name: visit.form.get(each.name, "") for each in fields_of(name)},
            faults=faults,
            told=told,
            status=_UNPROCESSABLE,
        )

    async def show(self, visit: Visit) -> Response:
        """Show what the draft would change."""
        return await self._show(visit)

    async def propose(self, visit: Visit) -> Response:
        """Propose the draft to the others."""
        draft = await self._parts.store.draft_of(visit.account)
        if draft is None:
            return self._parts.to("/settings")
        check = await self._parts.service.check(draft.entries)
        reason, meant = reason_in(visit.form), dangers_in(visit.form)
        as_seen = visit.form.get("based_on") == str(check.against) == str(draft.based_on)
        if not (as_seen and reason and check.changes and set(check.dangers) <= meant):
            return await self._show(visit, typed=visit.form, status=_UNPROCESSABLE)
        number = await self._parts.store.propose(
            visit.account,
            draft,
            reason=reason,
            dangers=check.dangers,
            now=self._parts.now,
            from_draft=True,
        )
        return self._parts.to(
            "/settings/draft" if number is None else f"/settings/proposals/{number}"
        )

    async def undo(self, visit: Visit) -> Response:
        """Take one change out of the draft."""
        draft, base = await self._draft(visit)
        place = _place(visit.form)
        if place is not None:
            await self._parts.store.save_draft(
                visit.account, draft.as_in(base, place), changed=place[0], now=self._parts.now
            )
        return self._parts.to("/settings/draft")

    async def discard(self, visit: Visit) -> Response:
        """Forget the draft."""
        await self._parts.store.drop_draft(visit.account, now=self._parts.now)
        return self._parts.to("/settings")

    async def renew(self, visit: Visit) -> Response:
        """Put the draft's own changes upon the set that is in force now."""
        draft, base = await self._draft(visit)
        merge = merged(base, draft, await self._parts.service.in_force())
        await self._parts.store.save_draft(
            visit.account, merge.draft, changed="", now=self._parts.now
        )
        return self._parts.to("/settings/draft")

    async def _draft(self, visit: Visit) -> tuple[Draft, PublishedSettings]:
        """Return the draft, or one that changes nothing yet, and the set on which it was begun."""
        draft = await self._parts.store.draft_of(visit.account)
        if draft is None:
            in_force = await self._parts.service.in_force()
            return Draft.begun_on(in_force), in_force
        return draft, await self._parts.service.version(draft.based_on)

    def _form(
        self,
        visit: Visit,
        draft: Draft,
        edit: Edit,
        *,
        act: Act,
        texts: Mapping[str, str],
        faults: Mapping[str, FieldFault] | None = None,
        told: Sequence[str] = (),
        status: int = 200,
    ) -> Response:
        return self._parts.render(
            visit,
            "settings_change.html",
            status=status,
            name=edit.name,
            fields=fields_of(edit.name),
            texts=texts,
            faults=faults or {},
            refused=told,
            edit=edit,
            act=act,
            may_be_nothing=may_be_nothing(edit.name),
            held=[each for each in draft.entries if each.name == edit.name],
            most_build=MAX_BUILD,
        )

    async def _show(
        self, visit: Visit, *, typed: Mapping[str, str] | None = None, status: int = 200
    ) -> Response:
        draft = await self._parts.store.draft_of(visit.account)
        if draft is None:
            return self._parts.to("/settings")
        in_force = await self._parts.service.in_force()
        base, merge = None, None
        if draft.based_on != in_force.version:
            base = await self._parts.service.version(draft.based_on)
            merge = merged(base, draft, in_force)
        return self._parts.render(
            visit,
            "settings_draft.html",
            status=status,
            draft=draft,
            in_force=in_force.version,
            check=await self._parts.service.check(
                draft.entries, against=draft.based_on if merge else in_force.version
            ),
            merge=merge,
            typed=typed,
            reason=(typed or {}).get("reason", ""),
            reason_is_good=bool(reason_in(typed or {})),
            meant=dangers_in(typed or {}),
        )


def _name(visit: Visit) -> str:
    name: str = visit.request.path_params["name"]
    if name not in WORDINGS:
        raise HTTPException(404)
    return name


def _place(form: Mapping[str, str]) -> Place | None:
    name, platform, build = (form.get(each, "") for each in ("name", "platform", "from_build"))
    if name not in WORDINGS or platform not in set(Platform) or not build.isdecimal():
        return None
    return name, Platform(platform), int(build[:9])
