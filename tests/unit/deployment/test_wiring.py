import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send

from immuni.clock import ManualClock
from immuni.deployment.configured import Configured
from immuni.deployment.roles import Role
from immuni.deployment.wiring import Wiring
from immuni.entropy import SeededEntropy
from immuni.settings import gather
from immuni.web import Reply, send_reply, source_of

PROXY, PHONE = "10.0.0.1", "198.51.100.9"


async def tell_source(scope: Scope, _receive: Receive, send: Send) -> None:
    await send_reply(Reply(body=source_of(scope).encode("ascii")), send)


async def source_seen(role: Role, environment: dict[str, str]) -> str:
    wiring = Wiring.of(
        Configured.read(gather(environment, None)),
        clock=ManualClock(datetime(2020, 6, 20, tzinfo=UTC)),
        entropy=SeededEntropy("wiring"),
        registry=CollectorRegistry(),
    )
    app: Any = wiring.server(role, tell_source).config.app
    transport = httpx.ASGITransport(app, client=(PROXY, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return (await client.get("/", headers={"X-Forwarded-For": PHONE})).text


@pytest.mark.anyio
@pytest.mark.parametrize("role", [Role.UPLOAD, Role.ANALYTICS, Role.PORTAL])
async def test_a_server_believes_the_proxies_of_the_setting_and_no_others(role: Role) -> None:
    assert await source_seen(role, {"IMMUNI_TRUSTED_PROXIES": "10.0.0.0/8"}) == PHONE
    assert await source_seen(role, {"IMMUNI_TRUSTED_PROXIES": "10.1.0.0/16"}) == PROXY
    assert await source_seen(role, {}) == PROXY


def test_no_role_waits_for_the_tool_that_migrates_databases() -> None:
    modules = ", ".join(f"immuni.deployment.wiring.{role}" for role in Role)
    program = f"import sys, {modules}; print({{'alembic', 'sqlalchemy'}} & {{*sys.modules}})"

    loaded = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert loaded.strip() == "set()"
