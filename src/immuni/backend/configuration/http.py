"""The App Configuration Service over HTTP."""

from collections.abc import Callable
from http import HTTPStatus

from immuni.api import ConfigurationSettings, Platform, examples
from immuni.api.headers import SETTINGS_ISSUED_AT, SETTINGS_SIGNATURE, SETTINGS_VERSION
from immuni.api.limits import MAX_BUILD
from immuni.backend.configuration.answers import SettingsAnswers
from immuni.backend.configuration.store import CHANNEL, load_newest
from immuni.backend.following import Connection, Follower, FollowingSettings
from immuni.backend.signing import Signer
from immuni.clock import Clock
from immuni.web import (
    ETAG,
    Call,
    Endpoint,
    Method,
    Parameter,
    Place,
    Reply,
    ReplyHeader,
    Service,
    serve,
)

PARAMETERS = (
    Parameter(
        name="platform",
        place=Place.QUERY,
        description="The phone's platform.",
        options=tuple(Platform),
    ),
    Parameter(
        name="build",
        place=Place.QUERY,
        description="The App's build number.",
        low=1,
        high=MAX_BUILD,
        example="7",
    ),
)

_SAYS = (
    ETAG,
    ReplyHeader(
        name=SETTINGS_VERSION,
        description="Number of the published set; a later set has a higher one.",
        pattern="[0-9]{1,15}",
        example="12",
        statuses=ETAG.statuses,
    ),
    ReplyHeader(
        name=SETTINGS_ISSUED_AT,
        description="When the answer was signed, in whole seconds since the Unix epoch.",
        pattern="[0-9]{1,15}",
        example="1592654400",
        statuses=ETAG.statuses,
    ),
    ReplyHeader(
        name=SETTINGS_SIGNATURE,
        description="Id of a key, and the base64 of its ECDSA signature over body and question.",
        pattern="[A-Za-z0-9._-]{1,64}:[A-Za-z0-9+/]{1,200}={0,2}",
        example="settings-1:"
        "MEQCIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7"
        "AiA+I+gWADlZSjOJT2Vk4bE0i716AIjULErLc+6u1ZwAnQ==",
        statuses=ETAG.statuses,
    ),
)


def configuration_service(
    *, database_url: str, signer: Callable[[], Signer], clock: Clock, following: FollowingSettings
) -> Service:
    """Build the service.

    Args:
        database_url: Direct connection with the service's role; read only.
        signer: Asked for each answer, which it signs.
        clock: Tells when an answer is issued.
        following: How the set in force is kept up with.
    """
    answers = SettingsAnswers(signer, clock)

    async def refresh(connection: Connection) -> None:
        answers.put_in_force(await load_newest(connection))

    follower = Follower(database_url, channel=CHANNEL, refresh=refresh, settings=following)

    async def settings(call: Call[None]) -> Reply:
        follower.check_read()
        platform, build = Platform(call.query["platform"]), int(call.query["build"])
        return serve(call, await answers.answer(platform, build))

    endpoint = Endpoint(
        method=Method.GET,
        path="/v1/settings",
        summary="Fetch the Configuration Settings",
        handler=settings,
        replies={HTTPStatus.OK: ConfigurationSettings, HTTPStatus.NOT_MODIFIED: None},
        reply_examples={HTTPStatus.OK: examples.SETTINGS},
        parameters=PARAMETERS,
        says=_SAYS,
        cache_control="public, max-age=3600",
    )
    return Service(
        name="configuration",
        title="App Configuration Service",
        endpoints=[endpoint],
        is_ready=follower.is_fresh,
        running=follower.running,
    )
