"""The figures as the health authority sees them, through the dashboard's own API."""

from datetime import date
from typing import Final
from urllib.parse import urlsplit

import httpx

from immuni.demo.verdict import StoryFailedError
from immuni.deployment.roles import LOOPBACK

_TIMEOUT_SECONDS: Final = 10


async def notified_phones(dashboard_url: str, day: date) -> int | None:
    """Return how many phones reported a warning on a day; None where that is withheld.

    Raises:
        StoryFailedError: The dashboard does not know the day.
    """
    table = {"subject": "notified", "span": "day", "breakdown": "nothing", "since": str(day)}
    url = urlsplit(dashboard_url)
    async with httpx.AsyncClient(
        # Not every machine knows names under localhost; browsers do.
        base_url=f"{url.scheme}://{LOOPBACK}:{url.port}",
        headers={"Host": url.netloc},
        timeout=_TIMEOUT_SECONDS,
        trust_env=False,
    ) as client:
        answer = await client.get("/v1/figures", params=table)
    if answer.status_code != httpx.codes.OK:
        raise StoryFailedError(f"the dashboard answered {answer.status_code} about {day}")
    counts = {tuple(each["cell"]): each["count"] for each in answer.json()["cells"]}
    count: int | None = counts.get(("notified",), 0)
    return count
