"""How long operators wait for an answer when fifty of them authorise at the same moment.

One process of the role *portal* and one of *otp*, as production runs them: an embedded PostgreSQL
that syncs, mutual TLS between the two. In each round all operators open the form, and then press
the button together; what is measured is from the press to the answer, and in a second turn to the
end of the page to which the answer leads. In the same run they open the bare page for signing in
together, which asks no database. Then they are at work: each authorises a code about every ten
seconds, at moments of chance. The load shares the machine. Run it with

    .venv/bin/python benchmarks/portal.py [--operators N] [--rounds N] [--seconds N] [--json]
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import httpx

from immuni.clock import SystemClock
from immuni.database import open_pool
from immuni.deployment.certificates import ensure_certificates
from immuni.deployment.databases import (
    PortalDatabase,
    ServicesDatabase,
    prepare_portal_database,
    prepare_services_database,
)
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from immuni.deployment.layout import Layout
from immuni.deployment.ports import free_block
from immuni.deployment.provision import (
    ensure_audit_head_key,
    ensure_audit_keys,
    ensure_otp_keys,
)
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.entropy import SystemEntropy
from immuni.otp import generate_otp
from immuni.portal.accounts.registration import create_account
from immuni.portal.accounts.roles import Role as AccountRole
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.factors.keys import FactorKeys
from immuni.world.operator import hidden_fields

GOAL_P95_MS: Final = 300
ENTROPY: Final = SystemEntropy()
CLOCK: Final = SystemClock()
PASSWORD: Final = "-".join(ENTROPY.token(4).hex() for _ in range(3))
TIMEOUT_SECONDS: Final = 60
WORK_SECONDS: Final = 10
TICKS: Final = os.sysconf("SC_CLK_TCK")

Press = Callable[["Operator"], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Figures:
    """How long people wait and what it takes the portal; `ratio` is medians against a bare page."""

    work: str
    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float
    ratio: float


class Operator:
    """One browser: it keeps its cookies and fills in forms."""

    def __init__(self, port: int) -> None:
        origin = f"http://portal.localhost:{port}"
        self.http = httpx.AsyncClient(
            base_url=f"http://{LOOPBACK}:{port}",
            headers={"Host": f"portal.localhost:{port}", "Origin": origin},
            timeout=TIMEOUT_SECONDS,
            # The portal closes what is idle; whoever reuses it at that moment gets no answer.
            limits=httpx.Limits(keepalive_expiry=2),
            trust_env=False,
        )
        self.form: dict[str, str] = {}

    async def sign_in(self, user: str) -> None:
        answer = await self.http.post("/sign-in", data={"user": user, "password": PASSWORD})
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise SystemExit(f"signing in was answered with {answer.status_code}")

    async def open_form(self) -> None:
        page = await self.http.get("/")
        today = CLOCK.now().date().isoformat()
        self.form = {
            **hidden_fields(page.text),
            "code": generate_otp(ENTROPY),
            "onset": "other",
            "onset_date": today,
        }

    async def press(self) -> float:
        begun = time.perf_counter()
        answer = await self.http.post("/authorise", data=self.form)
        took = 1000 * (time.perf_counter() - begun)
        if not answer.headers.get("location", "").endswith("/authorised"):
            where = answer.headers.get("location", "")
            raise SystemExit(f"authorising was answered with {answer.status_code} {where}")
        return took

    async def press_and_read(self) -> float:
        begun = time.perf_counter()
        await self.press()
        (await self.http.get("/authorised")).raise_for_status()
        return 1000 * (time.perf_counter() - begun)

    async def work(self, seconds: float, chance: random.Random) -> list[float]:
        """Authorise codes at moments of chance, and return how long each took."""
        clock, times = asyncio.get_running_loop().time, []
        end = clock() + seconds
        while (pause := chance.expovariate(1 / WORK_SECONDS)) < end - clock():
            await asyncio.sleep(pause)
            await self.open_form()
            times.append(await self.press())
        return times

    async def open_bare_page(self) -> float:
        begun = time.perf_counter()
        # Without its cookies, so that nobody's session is looked for.
        kept, self.http.cookies = self.http.cookies, httpx.Cookies()
        try:
            (await self.http.get("/sign-in")).raise_for_status()
        finally:
            self.http.cookies = kept
        return 1000 * (time.perf_counter() - begun)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operators", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60, help="how long they are at work")
    parser.add_argument("--json", action="store_true", help="print one object per line")
    arguments = parser.parse_args()
    for figures in measured(arguments.operators, arguments.rounds, arguments.seconds):
        print(json.dumps(asdict(figures)) if arguments.json else line(figures), flush=True)


def measured(operators: int, rounds: int, seconds: int) -> Sequence[Figures]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as name:
        layout, ports = Layout(Path(name)), Ports(free_block(ENTROPY.below(40_000)))
        postgres = EmbeddedPostgres(layout.root / "postgres")
        try:
            admin = postgres.start()
            services = prepare_services_database(admin, layout.secrets)
            portal = prepare_portal_database(admin, layout.secrets)
            asyncio.run(register(layout, portal, operators))
            with roles(layout, ports, services, portal) as pid:
                portal_at = (ports.of(Role.PORTAL), pid)
                return asyncio.run(load(*portal_at, operators, rounds, seconds))
        finally:
            postgres.stop()


async def register(layout: Layout, portal: PortalDatabase, operators: int) -> None:
    """Make the accounts."""
    async with open_pool(portal.portal, max_size=2) as pool:
        trail = AuditTrail(pool, ensure_audit_keys(layout, ENTROPY))
        layout.keys.mkdir(exist_ok=True)
        ensure_audit_head_key(layout)
        for number in range(operators):
            await create_account(
                pool,
                trail,
                user=f"operator-{number}",
                password=PASSWORD,
                organisation="Ospedale di prova",
                role=AccountRole.OPERATOR,
                clock=CLOCK,
                entropy=ENTROPY,
            )


@contextmanager
def roles(
    layout: Layout, ports: Ports, services: ServicesDatabase, portal: PortalDatabase
) -> Iterator[int]:
    """Run both processes, with quotas that do not end the measurement; yield the portal's id."""
    ensure_certificates(layout.certificates, clock=CLOCK)
    variables = {
        "IMMUNI_DATA_DIR": str(layout.root),
        "IMMUNI_BASE_PORT": str(ports.base),
        "IMMUNI_OTP_DATABASE_URL": services.otp,
        "IMMUNI_OTP_KEYS": ensure_otp_keys(layout, ENTROPY).render(),
        "IMMUNI_OTP_URL": f"https://{LOOPBACK}:{ports.of(Role.OTP)}",
        "IMMUNI_PORTAL_DATABASE_URL": portal.portal,
        "IMMUNI_PORTAL_URL": f"http://portal.localhost:{ports.of(Role.PORTAL)}",
        "IMMUNI_AUDIT_KEYS": ensure_audit_keys(layout, ENTROPY).render(),
        # Operators sign in by their password alone: what is measured comes after that.
        "IMMUNI_PORTAL_FACTOR_KEYS": FactorKeys({"k1": ENTROPY.token(32)}).render(),
        "IMMUNI_PORTAL_SECOND_FACTOR": "offered",
        "IMMUNI_PORTAL_PACE": "1000",
        "IMMUNI_PORTAL_OPERATOR_QUOTA": "10000",
        "IMMUNI_PORTAL_ORGANISATION_QUOTA": "100000",
        "IMMUNI_LOG_LEVEL": "error",
    }
    with running(Role.OTP, variables), running(Role.PORTAL, variables) as pid:
        yield pid


@contextmanager
def running(role: Role, variables: dict[str, str]) -> Iterator[int]:
    """Run a process of a role until the block ends, and yield its id."""
    command = [sys.executable, "-m", "immuni", "serve", role]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, env=os.environ | variables
    ) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                raise SystemExit(f"{role} did not come up")
            yield process.pid
        finally:
            process.terminate()


async def load(port: int, pid: int, count: int, rounds: int, seconds: int) -> Sequence[Figures]:
    """Let all operators do the same at the same moment, again and again, then work."""
    operators = [Operator(port) for _ in range(count)]
    for number, operator in enumerate(operators):
        await operator.sign_in(f"operator-{number}")
    bare, authorised, read, work = (Presses(pid) for _ in range(4))
    for number in range(rounds + 1):
        # In the first round connections are opened and caches are filled.
        counts = number > 0
        await bare.together(operators, Operator.open_bare_page, counts=counts)
        for presses, press in ((authorised, Operator.press), (read, Operator.press_and_read)):
            await asyncio.gather(*(operator.open_form() for operator in operators))
            await presses.together(operators, press, counts=counts)
    await work.apart(operators, seconds)
    await asyncio.gather(*(operator.http.aclose() for operator in operators))
    base = statistics.median(bare.times)
    return [
        bare.figures("bare page", base),
        authorised.figures("authorisation", base),
        read.figures("and its page", base),
        work.figures("at work", base),
    ]


@dataclass(slots=True)
class Presses:
    """What was measured of one kind of request.

    Attributes:
        pid: The portal's process.
        times: How long each took, in milliseconds.
        cpu_seconds: What all of them took the portal.
    """

    pid: int
    times: list[float] = field(default_factory=list)
    cpu_seconds: float = 0

    async def together(self, operators: Sequence[Operator], press: Press, *, counts: bool) -> None:
        """Have everybody press at once."""
        before = cpu_seconds(self.pid)
        times = await asyncio.gather(*(press(operator) for operator in operators))
        if counts:
            self.times += times
            self.cpu_seconds += cpu_seconds(self.pid) - before

    async def apart(self, operators: Sequence[Operator], seconds: float) -> None:
        """Have everybody work by themselves; their forms count as processor time, too."""
        before = cpu_seconds(self.pid)
        chance = random.Random(1)  # noqa: S311 - when somebody presses, nothing secret
        times = await asyncio.gather(*(each.work(seconds, chance) for each in operators))
        self.times = [each for own in times for each in own]
        self.cpu_seconds = cpu_seconds(self.pid) - before

    def figures(self, work: str, base: float) -> Figures:
        """Return the quantiles."""
        cuts, count = statistics.quantiles(self.times, n=100), len(self.times)
        cpu_ms = 1000 * self.cpu_seconds / count
        return Figures(work, count, cuts[49], cuts[94], cuts[98], cpu_ms, cuts[49] / base)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def line(figures: Figures) -> str:
    """Return figures for people."""
    goal = f"  (goal {GOAL_P95_MS} ms)" if figures.work != "bare page" else ""
    return (
        f"{figures.work:<14}{figures.requests:6,}  p50 {figures.p50_ms:5.0f} ms  "
        f"p95 {figures.p95_ms:5.0f} ms{goal}  p99 {figures.p99_ms:5.0f} ms  "
        f"{figures.cpu_ms:.1f} ms CPU  × {figures.ratio:.1f}"
    )


if __name__ == "__main__":
    main()
