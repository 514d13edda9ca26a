"""The story, step by step, on real servers."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import httpx

from immuni.clock import Clock
from immuni.demo.others import OtherPeople
from immuni.demo.published import PublishedChunks
from immuni.demo.reports import KeptReport, reports_with_exposure
from immuni.demo.scene import PROVINCE, A, B, C, Scene
from immuni.demo.shown import notified_phones
from immuni.demo.verdict import (
    StoryFailedError,
    require_figure,
    require_frugality,
    require_report,
    require_silence,
    require_warning,
)
from immuni.deployment.layout import Layout
from immuni.deployment.ports import free_block
from immuni.deployment.roles import Role
from immuni.deployment.settings import loopback_url
from immuni.deployment.up import Running, UpOptions, running_system
from immuni.deployment.wiring.jobs import refresh_figures, run_job_now
from immuni.entropy import Entropy
from immuni.export import Export
from immuni.otp import Otp, grouped
from immuni.world.operator import Operator

_ONSET_DAYS_AGO: Final = timedelta(days=1)
_OTHERS: Final = 11
"""With B enough phones to be shown: `k_anonymity` of them, and two more."""
_PORTS_TO_TRY: Final = 40_000


@dataclass(frozen=True, slots=True)
class Told:
    """One step of the story, as it happened.

    Attributes:
        step: Its name, for machines.
        text: What happened, for people.
        facts: What can be counted or compared.
    """

    step: str
    text: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


async def tell_story(folder: Path, *, clock: Clock, entropy: Entropy) -> AsyncGenerator[Told, None]:
    """Play the story on real servers, and tell each step when it has happened.

    Args:
        folder: An empty data folder, for servers and phones.
        clock: The servers' clock.
        entropy: The phones' randomness.

    Raises:
        StoryFailedError: Something came out wrong.
    """
    base_port = free_block(entropy.below(_PORTS_TO_TRY))
    try:
        async with AsyncExitStack() as stack:
            running, _ = await stack.enter_async_context(
                running_system(UpOptions(data_dir=folder, base_port=base_port, phones=0))
            )
            yield Told("servers", "PostgreSQL, the five services, the jobs and the portal are up.")
            scene = await Scene.set(running, clock=clock, entropy=entropy, stack=stack)
            chunks = PublishedChunks.at(loopback_url(Role.GET, running.ports))
            stack.push_async_callback(chunks.close)
            async for told in _play(
                scene, running, chunks, today=clock.now().date(), entropy=entropy
            ):
                yield told
    except httpx.HTTPError as error:
        raise StoryFailedError(f"a server did not answer as it must: {error}") from error


async def _play(
    scene: Scene, running: Running, chunks: PublishedChunks, *, today: date, entropy: Entropy
) -> AsyncIterator[Told]:
    await scene.live()
    meeting_day = scene.meeting.begin.date()
    yield Told(
        "meeting",
        f"Three phones lived three days; A and B lay {scene.meeting.metres:g} m apart for half an "
        f"hour on {meeting_day}, C was far away.",
        {"day": meeting_day.isoformat()},
    )

    otp = await scene.phone(A).open_upload()
    yield Told("code", f"A's user tested positive; the phone shows {grouped(otp)}.")

    await _authorise(otp, today - _ONSET_DAYS_AGO, running)
    yield Told("authorised", "An operator signed in to the portal and authorised the code.")

    newest_before = await chunks.newest()
    await scene.phone(A).check_code()
    contents = await scene.phone(A).upload(consent=True)
    yield Told(
        "upload",
        f"A checked the code, asked for consent and uploaded {contents.key_count} daily keys.",
        {"keys": contents.key_count},
    )

    published = await run_job_now("publish", Layout(running.data_dir).settings_file)
    export = await chunks.appeared_after(newest_before)
    yield _told_of(export, published["chunks"])

    for name in (B, C):
        await scene.phone(name).background_session()
    for told in _verdict(scene, export, meeting_day):
        yield told
    kept = await reports_with_exposure(Layout(running.data_dir))
    report = require_report(kept, province=PROVINCE, day=meeting_day)
    yield _told_of_report(report)
    yield await _shown(running, report, clock=scene.server_clock, entropy=entropy)


def _told_of(export: Export, chunks: int) -> Told:
    return Told(
        "published",
        f"A signed chunk of {len(export.keys)} keys was published; A's are hidden among those of "
        "simulated people, and today's key waits until nobody accepts it any longer.",
        {"keys": len(export.keys), "chunks": chunks},
    )


def _verdict(scene: Scene, export: Export, meeting_day: date) -> list[Told]:
    warning = require_warning(scene.phone(B), day=meeting_day)
    require_silence(scene.phone(C))
    heard = require_frugality(scene.phones[B], export)
    return [
        Told(
            "warned",
            f"B matched on its own and warned: contact on {warning.day}, score "
            f"{warning.total_risk_score}.",
            {"day": warning.day.isoformat(), "total_risk_score": warning.total_risk_score},
        ),
        Told("silent", "C checked the same chunk and stayed silent."),
        Told(
            "frugal",
            f"B's database holds the {heard} identifiers that it heard and none of the "
            f"{len(export.keys)} published keys.",
            {"heard": heard},
        ),
    ]


def _told_of_report(report: KeptReport) -> Told:
    return Told(
        "reported",
        f"B reported the warning: the Analytics Service keeps its province, {report.province}, the "
        "day of the contact, and nothing that tells of whom.",
        {"day": report.contact_day.isoformat()},
    )


async def _shown(running: Running, report: KeptReport, *, clock: Clock, entropy: Entropy) -> Told:
    layout = Layout(running.data_dir)
    others = OtherPeople.near(
        layout,
        loopback_url(Role.ANALYTICS, running.ports),
        clock=clock,
        entropy=entropy,
    )
    await others.report(_OTHERS, province=PROVINCE, contact_day=report.contact_day)
    await refresh_figures(layout.settings_file, before=report.received_on + timedelta(days=1))
    dashboard = loopback_url(Role.DASHBOARD, running.ports)
    phones = await notified_phones(dashboard, report.received_on)
    require_figure(phones, phones=1 + _OTHERS)
    return Told(
        "shown",
        f"{_OTHERS} more phones warned and reported, and the day was closed: the dashboard shows "
        f"{phones} notified phones. B's alone it would have withheld.",
        {"phones": phones or 0},
    )


async def _authorise(otp: Otp, onset: date, running: Running) -> None:
    account = running.demo_accounts[0]
    operator = Operator.at(loopback_url(Role.PORTAL, running.ports))
    try:
        await operator.sign_in(account.user, account.password)
        await operator.authorise(otp, onset)
    finally:
        await operator.leave()
