"""Phones send simulated uploads, and nothing on the wire tells them from a person's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from immuni.api import Platform
from immuni.app.build import pinned_tls
from immuni.app.dummies.simulation import Simulation
from immuni.app.pages.presence import Presence
from immuni.app.phone import Phone
from immuni.app.storage import AppStore
from immuni.app.upload_errors import UploadOrderError
from immuni.entropy import SeededEntropy
from immuni.framework import FileKeyStore
from tests.integration.app.browser import browsing
from tests.integration.app.serving import listening
from tests.integration.app.tls import Authority, Wire, answering, observed
from tests.integration.app.vouching import requests
from tests.integration.app.world import World
from tests.plain_http import TRUSTS_NOBODY

pytestmark = pytest.mark.anyio

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
PACKET_BYTES = 110_000
RECORD_OVERHEAD_BYTES = 17
"""Of TLS 1.3: the kind of the content, and the tag."""
CHECK, UPLOAD = "/v1/ingestion/check-otp", "/v1/ingestion/upload"


class Eager(SeededEntropy):
    """Waits for nothing, and draws the middle of everything: each sequence has two dummies.

    Attributes:
        share: Of the span that is drawn from; below 0.52 a dummy is a check.
    """

    def __init__(self) -> None:
        super().__init__("eager")
        self.share = 0.5

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.share

    def exponential(self, mean: float) -> float:  # noqa: ARG002 - the interface has it
        return 0

    def normal(self, mean: float, deviation: float) -> float:  # noqa: ARG002 - the interface has it
        return -100


class Slow(Eager):
    """Waits an hour before each sequence."""

    def exponential(self, mean: float) -> float:
        """Return an hour where a sequence waits for its start."""
        return 3600 if mean == 15 else 0


class Daily(Eager):
    """Draws each background session for the day after."""

    def exponential(self, mean: float) -> float:
        """Return a day where a session waits."""
        return 86_400 if mean > 60 else 0


@dataclass
class Gate:
    """Sleeps that end when the test lets them."""

    slept: int = 0
    permits: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def sleep(self, _seconds: float) -> None:
        self.slept += 1
        await self.permits.acquire()

    def let(self, count: int) -> None:
        """Let so many sleeps end."""
        for _ in range(count):
            self.permits.release()


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not fact():  # noqa: ASYNC110 - what is waited for happens in servers and files
            await asyncio.sleep(0.01)


@asynccontextmanager
async def simulating(phone: Phone) -> AsyncIterator[None]:
    task = asyncio.create_task(phone.simulate_uploads())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def ready(world: World, platform: Platform, entropy: SeededEntropy | None = None) -> Phone:
    entropy = entropy or (Eager() if platform is Platform.IOS else Daily())
    return await world.add_ready("alice", platform=platform, entropy=entropy)


def session_is_drawn(phone: Phone) -> bool:
    return phone.record.simulation is not None


async def at_its_moment(world: World, phone: Phone) -> None:
    """Let a phone draw when its background session comes, and let time pass until then."""
    async with simulating(phone):
        await until(lambda: session_is_drawn(phone))
    assert phone.record.simulation is not None
    world.pass_over(phone.record.simulation.opens_at - world.clock.now())


async def test_on_ios_opening_a_page_starts_a_sequence_and_the_next_page_none(
    world: World,
) -> None:
    phone = await ready(world, Platform.IOS)
    async with browsing(phone) as browser:
        await browser.get("/")
        await until(lambda: len(world.servers.asked) == 2)
        drawn = phone.record.simulation
        world.pass_over(timedelta(seconds=30))
        await browser.get("/settings")

    assert world.servers.asked == [CHECK, CHECK]
    assert phone.record.simulation == drawn


async def test_who_comes_back_after_a_while_opens_the_app_anew(world: World) -> None:
    phone = await ready(world, Platform.IOS)
    pages = Presence(PlainTextResponse("a page"), phone=phone, quiet=timedelta())
    async with (
        listening(lambda _port: pages) as port,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", verify=TRUSTS_NOBODY, trust_env=False
        ) as client,
    ):
        for visits in (1, 2):
            await client.get("/")
            await until(lambda: len(world.servers.asked) == 2 * visits)  # noqa: B023 - awaited here
            await no_task_of_a_simulation()


async def no_task_of_a_simulation() -> None:
    """Wait until whatever a phone has sent was answered, and nothing else is planned."""
    await until(lambda: not list(all_sequences(set())))


async def test_what_a_page_fetches_by_itself_is_nobody_who_opens_the_app(world: World) -> None:
    phone = await ready(world, Platform.IOS)
    async with browsing(phone) as browser:
        await browser.get("/state", hx_request="true")
        await browser.get("/static/app.css")

    assert phone.record.simulation is None


async def test_opening_the_upload_screen_cancels_what_is_planned(world: World) -> None:
    phone = await ready(world, Platform.IOS, Slow())
    before = asyncio.all_tasks()
    phone.came_to_foreground()
    (planned,) = asyncio.all_tasks() - before

    await phone.open_upload()
    await asyncio.wait({planned}, timeout=20)

    assert planned.cancelled()
    # Nor is anything planned anew for as long as the App stays in the foreground.
    phone.came_to_foreground()
    assert asyncio.all_tasks() <= before


async def test_going_on_with_an_upload_cancels_what_was_planned_since(world: World) -> None:
    phone = await ready(world, Platform.IOS, Slow())
    await phone.open_upload()
    phone.left_foreground()
    before = asyncio.all_tasks()
    phone.came_to_foreground()
    (planned,) = asyncio.all_tasks() - before

    with pytest.raises(UploadOrderError):
        await phone.send_upload()
    await asyncio.wait({planned}, timeout=20)

    assert planned.cancelled()


async def test_deleting_everything_cancels_what_is_planned(world: World) -> None:
    phone = await ready(world, Platform.IOS, Slow())
    before = asyncio.all_tasks()
    phone.came_to_foreground()
    (planned,) = asyncio.all_tasks() - before

    await phone.delete_everything()

    assert planned.cancelled()
    assert phone.record.simulation is None


async def test_a_sequence_uses_its_window_up_at_once_and_can_be_broken_off(world: World) -> None:
    gate = Gate()
    async with a_simulation(world, Platform.IOS, gate) as simulation:
        before = asyncio.all_tasks()
        simulation.came_to_foreground()
        (running,) = asyncio.all_tasks() - before
        planned = simulation.store.record.simulation
        world.pass_over(timedelta(seconds=15))
        gate.let(1)
        await until(lambda: gate.slept == 2)
        assert world.servers.asked == [CHECK]
        # A phone that is killed now does not begin once more.
        assert simulation.store.record.simulation != planned

        simulation.cancel()
        await asyncio.wait({running}, timeout=20)

        assert running.cancelled()


async def test_on_android_the_session_comes_at_its_moment_and_survives_a_restart(
    world: World,
) -> None:
    phone = await ready(world, Platform.ANDROID)
    await at_its_moment(world, phone)
    drawn = phone.record.simulation
    await world.remove("alice")
    phone = await world.add("alice", entropy=Daily())
    assert phone.record.simulation == drawn

    async with simulating(phone):
        await until(lambda: len(world.servers.asked) == 2)

    # Nothing but the upload host is asked: beside a background session it would stand out.
    assert world.servers.asked == [CHECK, CHECK]
    assert phone.record.simulation != drawn


async def test_on_android_nothing_starts_in_the_foreground_and_another_day_is_drawn(
    world: World,
) -> None:
    phone = await ready(world, Platform.ANDROID)
    await at_its_moment(world, phone)
    drawn = phone.record.simulation

    phone.came_to_foreground()
    async with simulating(phone):
        await until(lambda: phone.record.simulation != drawn)

    assert world.servers.asked == []


async def test_on_android_coming_to_the_foreground_breaks_off_what_runs(world: World) -> None:
    gate = Gate()
    async with a_simulation(world, Platform.ANDROID, gate) as simulation:
        before = asyncio.all_tasks()
        life = asyncio.create_task(simulation.live())
        await until(lambda: gate.slept == 1)
        assert simulation.store.record.simulation is not None
        world.pass_over(simulation.store.record.simulation.opens_at - world.clock.now())
        gate.let(2)
        await until(lambda: gate.slept == 3)
        assert world.servers.asked == [CHECK]
        (running,) = (each for each in all_sequences(before) if each is not life)

        simulation.came_to_foreground()
        await asyncio.wait({running}, timeout=20)

        assert running.cancelled()
        life.cancel()
        await asyncio.wait({life})


async def test_a_host_that_is_not_there_ends_no_sequence(world: World) -> None:
    gate = Gate()
    async with a_simulation(world, Platform.IOS, gate) as simulation:
        simulation.build = replace(simulation.build, upload_url="http://127.0.0.1:9")

        simulation.came_to_foreground()
        gate.let(1)
        await until(lambda: gate.slept == 2)


async def test_a_person_and_a_simulation_are_the_same_host_sizes_and_records(
    world: World, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    async with (
        answering(NO_CONTENT, authority.server_context()) as port,
        observed(port) as (wire_port, wire),
    ):
        world.url = f"https://localhost:{wire_port}"
        world.tls = pinned_tls(authority.certificate_file)
        entropy = Eager()
        phone = await ready(world, Platform.IOS, entropy)
        await a_person_uploads(phone)
        for share in (0.5, 0.6):
            entropy.share = share
            await a_sequence(phone)

    genuine, *others = all_records(wire)
    _end_of_handshake, *request, _goodbye = genuine
    assert sum(request) - RECORD_OVERHEAD_BYTES * len(request) == PACKET_BYTES
    # A check and an upload of the person, two checks and two uploads of nobody.
    assert len(others) == 5
    assert all(each == genuine for each in others)


async def test_the_two_kinds_of_dummy_are_requests_of_exactly_one_size(world: World) -> None:
    async with answering(NO_CONTENT) as port, observed(port) as (wire_port, wire):
        world.url = f"http://127.0.0.1:{wire_port}"
        entropy = Eager()
        phone = await ready(world, Platform.IOS, entropy)
        for share in (0.5, 0.6):
            entropy.share = share
            await a_sequence(phone)

    assert [path for path, _ in requests(wire)] == [CHECK, CHECK, UPLOAD, UPLOAD]
    assert {headers["Immuni-Dummy-Data"] for _, headers in requests(wire)} == {"1"}
    assert {len(each) for each in wire.connections} == {PACKET_BYTES}


async def a_sequence(phone: Phone) -> None:
    """Let a user of iOS open the App and leave it, and the sequence that it starts end."""
    before = asyncio.all_tasks()
    phone.came_to_foreground()
    phone.left_foreground()
    await asyncio.wait(asyncio.all_tasks() - before)


async def a_person_uploads(phone: Phone) -> None:
    await phone.open_upload()
    await phone.check_code()
    await phone.upload(consent=True)


def all_sequences(before: set[asyncio.Task[None]]) -> Iterator[asyncio.Task[None]]:
    """Yield the tasks that have begun since, but those of servers and connections."""
    for task in asyncio.all_tasks() - before:
        if "Simulation" in repr(task.get_coro()):
            yield task


def all_records(wire: Wire) -> list[list[int]]:
    return [wire.records(number) for number in range(len(wire.connections))]


@asynccontextmanager
async def a_simulation(world: World, platform: Platform, gate: Gate) -> AsyncIterator[Simulation]:
    """Yield the simulation of a phone that is ready, whose sleeps the test ends."""
    await ready(world, platform)
    await world.remove("alice")
    folder = world.folder / "alice"
    store = AppStore.open(folder / "app.db", FileKeyStore(folder / "app.key"), entropy=Eager())
    simulation = Simulation(
        build=world.build(platform),
        store=store,
        clock=world.clock,
        entropy=Eager() if platform is Platform.IOS else Daily(),
        sleep=gate.sleep,
    )
    yield simulation
    await simulation.close()
    store.close()
