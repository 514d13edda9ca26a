"""The servers, as far as this world has to do with them: all that phones do not do themselves."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from http import HTTPStatus
from typing import Final

import httpx

from immuni.otp import Otp
from immuni.world.operator import Operator

_TIMEOUT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Servers:
    """What is asked of servers and portal.

    Attributes:
        get_url: Where everybody gets the index of chunks.
        portal_url: Where operators open the portal.
        user: The account of an operator, for demonstrations.
        password: Its password.
        publish: Publishes the keys that are due, as the jobs do by themselves later on.
    """

    get_url: str
    portal_url: str
    user: str
    password: str = field(repr=False)
    publish: Callable[[], Awaitable[object]]

    async def newest_chunk(self) -> int:
        """Return the number of the newest chunk, 0 where there is none.

        Raises:
            httpx.HTTPError: The host did not answer as it must.
        """
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            answer = await client.get(f"{self.get_url}/v1/keys/index")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return 0
        newest: int = answer.raise_for_status().json()["newest"]
        return newest

    async def authorise(self, otp: Otp, onset: date) -> None:
        """Let an operator sign in to the portal and authorise a code there.

        Raises:
            PortalRefusedError: It was not authorised.
            httpx.HTTPError: The portal is not there.
        """
        operator = Operator.at(self.portal_url)
        try:
            await operator.sign_in(self.user, self.password)
            await operator.authorise(otp, onset)
        finally:
            await operator.leave()
