"""What the App of a Linux device costs its user: waiting, bytes, processor time and memory.

Daemon and App run as on a device, Chromium shows the App in German, which is the longest of its
languages. Each screen is fetched as a program does it and shown as a user sees it, in turns; the
ratio is to a picture that the same App gives out. The load shares the machine. The background
session runs in this process, its servers in another thread. Run it with

    .venv/bin/python benchmarks/app.py [--rounds N] [--json]
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Final

import httpx
from playwright.async_api import Browser, BrowserContext, Page

sys.path.insert(0, str(Path(__file__).parents[1]))
from immuni.entropy import SeededEntropy
from immuni.keys import TemporaryExposureKey, generate_tek, interval_at, rolling_start_of
from tests.chromium import chromium
from tests.integration.app.device import Device, a_device, onboard
from tests.integration.app.servers import Servers
from tests.integration.app.serving import listening
from tests.integration.app.world import START, World

SCREENS: Final = (
    "/", "/advice", "/history", "/settings", "/settings/language", "/settings/province",
    "/service/pause", "/upload", "/own-data", "/support", "/how-it-works", "/faq", "/privacy",
    "/terms", "/about",
)  # fmt: skip
BARE: Final = "/static/icon.svg"
PHONE: Final = {"width": 390, "height": 844}
TICKS: Final = os.sysconf("SC_CLK_TCK")
MEGABYTE: Final = 1_000_000
CHUNKS_OF_A_DAY: Final = 6
KEYS_OF_A_CHUNK: Final = 5_000
DAY: Final = timedelta(days=1)
BETWEEN_SESSIONS: Final = timedelta(hours=5)
LOADED: Final = 'performance.getEntriesByType("navigation")[0].loadEventEnd'
BYTES: Final = """() => performance.getEntries()
  .filter(({ entryType }) => ["navigation", "resource"].includes(entryType))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize + 600, 0)"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside its goal; `ratio` is to the bare picture, where there is one."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    ratio: float | None = None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="print one object per line")
    arguments = parser.parse_args()
    for figure in (*asyncio.run(shown(arguments.rounds)), *session()):
        print(json.dumps(asdict(figure)) if arguments.json else line(figure), flush=True)


async def shown(rounds: int) -> list[Figure]:
    """Measure the start, every screen, and the memory after all of them."""
    async with a_device() as device, chromium() as browser, device.daemon():
        begun = time.perf_counter()
        async with device.app({}) as link:
            started = time.perf_counter() - begun
            context = await a_context(browser, "en-GB")
            page = await context.new_page()
            begun = time.perf_counter()
            await page.goto(link)
            await page.wait_for_url("**/onboarding/welcome")
            first = time.perf_counter() - begun
            cpu = cpu_seconds(device.pids["app"])
            await onboard(page)
            figures = await screens(browser, link, context, device.pids["app"], rounds)
            return [
                Figure("from the start of the process until it answers", started, "s"),
                Figure("processor time of the App until the first page is there", cpu, "s"),
                Figure("first page in Chromium, nothing cached", first, "s", 1),
                *figures,
                *memory(device),
            ]


async def a_context(browser: Browser, locale: str) -> BrowserContext:
    return await browser.new_context(locale=locale, viewport=PHONE)  # type: ignore[arg-type] # a plain dict


async def screens(
    browser: Browser, link: str, context: BrowserContext, pid: int, rounds: int
) -> list[Figure]:
    """Ask for each screen and show it, in turns."""
    origin = link.partition("/open")[0]
    cookies = await context.cookies(origin)
    german = await a_context(browser, "de-DE")
    await german.add_cookies(cookies)  # type: ignore[arg-type] # what comes out goes in
    page = await german.new_page()
    headers = {"accept-language": "de", "host": httpx.URL(origin).netloc.decode()}
    client = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{httpx.URL(origin).port}",
        headers=headers,
        cookies={str(each["name"]): str(each["value"]) for each in cookies},
        follow_redirects=True,
        trust_env=False,
    )
    server: dict[str, list[float]] = defaultdict(list)
    browsed: dict[str, list[float]] = defaultdict(list)
    async with client:
        for number in range(rounds + 1):
            for path in (BARE, *SCREENS):
                begun = time.perf_counter()
                (await client.get(path)).raise_for_status()
                took = 1000 * (time.perf_counter() - begun)
                await page.goto(origin + path, wait_until="load")
                loaded = await page.evaluate(LOADED)
                if number:  # The first round fills caches: the App's, and the browser's.
                    server[path].append(took)
                    browsed[path].append(loaded)
        cpu_ms = await cpu_of_a_screen(client, pid, rounds)
    weights = {path: await weight(page, origin + path) for path in SCREENS}
    mean = Figure("processor time of the App for a screen, on average", cpu_ms, "ms")
    return [*of_screens(server, browsed, weights), mean]


async def cpu_of_a_screen(client: httpx.AsyncClient, pid: int, rounds: int) -> float:
    """Return what the App takes for a screen; the kernel counts in steps of ten milliseconds."""
    before = cpu_seconds(pid)
    for _ in range(rounds):
        for path in SCREENS:
            (await client.get(path)).raise_for_status()
    return 1000 * (cpu_seconds(pid) - before) / (rounds * len(SCREENS))


async def weight(page: Page, url: str) -> float:
    """Return how many bytes a screen has for a browser that keeps nothing."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await page.goto(url, wait_until="load")
    told: float = await page.evaluate(BYTES)
    await session.detach()
    return told


def of_screens(
    server: dict[str, list[float]], browsed: dict[str, list[float]], weights: dict[str, float]
) -> Iterator[Figure]:
    asked = {path: statistics.median(times) for path, times in server.items()}
    seen = {path: statistics.median(times) for path, times in browsed.items()}
    for path in SCREENS:
        yield Figure(f"{path}, asked for", asked[path], "ms", 100, asked[path] / asked[BARE])
        yield Figure(f"{path}, in Chromium", seen[path], "ms", 100, seen[path] / seen[BARE])
        yield Figure(f"{path}, everything in it", weights[path] / 1000, "kB", 150)


def memory(device: Device) -> Iterator[Figure]:
    """Return what both processes hold, and what they would if nobody else ran Python here."""
    held = {name: proportional(pid) for name, pid in device.pids.items()}
    for name, value in held.items():
        yield Figure(f"memory of the {name} (PSS)", value, "MB")
    yield Figure("memory of both (PSS)", sum(held.values()), "MB", 120)
    yield Figure("memory of both, alone on the machine", alone(device.pids.values()), "MB", 120)


def proportional(pid: int) -> float:
    for told in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if told.startswith("Pss:"):
            return int(told.split()[1]) * 1024 / MEGABYTE
    raise SystemExit("the kernel does not tell PSS")


def alone(pids: Iterable[int]) -> float:
    """Return the memory of processes in MB, what they share counted once, and whole."""
    own, shared = 0, defaultdict[tuple[str, str], int](int)
    for pid in pids:
        where, resident = ("", ""), 0
        for told in Path(f"/proc/{pid}/smaps").read_text().splitlines():
            fields = told.split()
            if not fields[0].endswith(":"):
                where = (fields[2], fields[-1])
            elif fields[0] == "Rss:":
                resident = int(fields[1])
            elif fields[0] == "Anonymous:":
                own += int(fields[1])
                shared[where] = max(shared[where], resident - int(fields[1]))
    return (own + sum(shared.values())) * 1024 / MEGABYTE


def session() -> Iterator[Figure]:
    """Measure a session that fetches the chunks of a day, and one that finds nothing new."""
    with TemporaryDirectory() as folder:
        servers = Servers(START)
        with serving(servers) as url:
            yield from asyncio.run(sessions(World(Path(folder), url=url, servers=servers)))


async def sessions(world: World) -> list[Figure]:
    phone = await world.add_ready("phone")
    for number in range(1, CHUNKS_OF_A_DAY + 1):
        world.publish(number, keys_of(number, phone.clock.now()))
    times = []
    for _ in range(2):
        begun = time.thread_time()
        await phone.background_session()
        times.append(time.thread_time() - begun)
        world.pass_over(BETWEEN_SESSIONS)
    await world.close()
    if world.servers.asked[-1] != "/v1/keys/index":
        raise SystemExit("the second session was to find nothing new")
    return [
        Figure("session that fetches and matches the chunks of a day", times[0], "s CPU"),
        Figure("session with nothing new", times[1], "s CPU", 1),
    ]


def keys_of(number: int, now: datetime) -> list[TemporaryExposureKey]:
    entropy, day = SeededEntropy(f"chunk {number}"), rolling_start_of(interval_at(now - DAY))
    return [generate_tek(day, entropy) for _ in range(KEYS_OF_A_CHUNK)]


@contextmanager
def serving(servers: Servers) -> Iterator[str]:
    """Serve in a thread of its own, whose processor time is not the phone's."""
    told: Queue[str] = Queue()
    ended = Event()

    async def serve() -> None:
        async with listening(lambda _port: servers.app()) as port:
            told.put(f"http://127.0.0.1:{port}")
            await asyncio.to_thread(ended.wait)

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        yield told.get()
    finally:
        ended.set()
        thread.join()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def line(figure: Figure) -> str:
    """Return a figure for people."""
    goal = f"  (goal {figure.goal:g} {figure.unit})" if figure.goal is not None else ""
    ratio = f"  × {figure.ratio:.1f}" if figure.ratio is not None else ""
    return f"{figure.what:<58}{figure.value:8.2f} {figure.unit}{goal}{ratio}"


if __name__ == "__main__":
    main()
