"""Where a request came from, whoever says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from immuni.settings import SettingsError, gather, read_settings
from immuni.web import (
    NO_PROXIES,
    Forwarded,
    ProxySettings,
    TrustedProxies,
    source_of,
    subscriber_of,
)

PROXIES = TrustedProxies.parse("10.0.0.0/8, 2001:db8:ffff::/48, 192.0.2.7")
PROXY, PHONE = "10.0.0.1", "198.51.100.9"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "source"),
    [
        pytest.param(PROXY, PHONE, PHONE, id="one proxy"),
        pytest.param(PROXY, f"{PHONE}, 10.0.0.2,192.0.2.7", PHONE, id="several proxies"),
        pytest.param(PROXY, f"203.0.113.1, {PHONE}", PHONE, id="an invention on the left"),
        pytest.param(PROXY, f"10.0.0.9, {PHONE}, 10.0.0.2", PHONE, id="an invented proxy"),
        pytest.param(PHONE, "203.0.113.1", PHONE, id="a peer that is not trusted"),
        pytest.param(PHONE, PROXY, PHONE, id="a peer that claims to be a proxy"),
        pytest.param("192.0.2.8", "203.0.113.1", "192.0.2.8", id="a neighbour of a proxy"),
        pytest.param(PROXY, "", PROXY, id="no header"),
        pytest.param(PROXY, "10.0.0.3, 10.0.0.2", "10.0.0.3", id="nothing but proxies"),
        pytest.param(PROXY, f" \t{PHONE} \t, 10.0.0.2 ", PHONE, id="spaces"),
        pytest.param(PROXY, f"{PHONE}:4711, 10.0.0.2:80", PHONE, id="ports"),
        pytest.param(PROXY, "2001:db8::9", "2001:db8::9", id="IPv6"),
        pytest.param(PROXY, "[2001:db8::9]", "2001:db8::9", id="IPv6 in brackets"),
        pytest.param(PROXY, "[2001:db8::9]:4711", "2001:db8::9", id="IPv6 with a port"),
        pytest.param("2001:db8:ffff::1", "2001:DB8:0::9", "2001:db8::9", id="an IPv6 proxy"),
        pytest.param(f"::ffff:{PROXY}", f"::ffff:{PHONE}", PHONE, id="a socket for both"),
        pytest.param(PROXY, "unknown", PROXY, id="a word"),
        pytest.param(PROXY, f"{PHONE}, unknown", PROXY, id="a word nearest"),
        pytest.param(PROXY, f"{PHONE},", PROXY, id="an empty end"),
        pytest.param(PROXY, f"{PHONE}, _hidden, 10.0.0.2", "10.0.0.2", id="a word between"),
        pytest.param(PROXY, "198.51.100.09", PROXY, id="an ambiguous number"),
        pytest.param(PROXY, "198.51.100.9/32", PROXY, id="a network"),
        pytest.param(PROXY, "for=198.51.100.9", PROXY, id="another header's words"),
        pytest.param("", PHONE, "", id="a transport without addresses"),
        pytest.param("a socket's path", PHONE, "a socket's path", id="a peer without address"),
    ],
)
def test_the_source_is_the_nearest_address_that_is_no_proxys(
    peer: str, forwarded_for: str, source: str
) -> None:
    assert PROXIES.source_behind(peer, forwarded_for) == source


@given(st.text(max_size=60))
def test_nothing_that_a_phone_sends_changes_its_source(invented: str) -> None:
    # The proxy adds at the right end, after whatever the phone had sent.
    assert PROXIES.source_behind(PROXY, f"{invented},{PHONE}") == PHONE
    assert PROXIES.source_behind(PHONE, invented) == PHONE


def test_a_header_of_any_length_is_read_for_eight_proxies_only() -> None:
    def through(proxies: int) -> str:
        others = ["10.0.0.2"] * (proxies - 1)
        return PROXIES.source_behind(PROXY, ",".join(["203.0.113.1", "x", PHONE, *others]))

    assert through(8) == PHONE
    assert through(9) == through(10_000) == "10.0.0.2"


def test_without_trusted_proxies_every_peer_is_the_source() -> None:
    assert NO_PROXIES.source_behind(PROXY, PHONE) == PROXY


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("not an address", "", True),
        ("", "192.0.2.7", False),
    ],
)
def test_a_subscriber_has_one_ipv4_address_or_half_an_ipv6_one(
    one: str, other: str, *, same: bool
) -> None:
    assert (subscriber_of(one) == subscriber_of(other)) is same


def read(text: str) -> TrustedProxies:
    source = gather({"IMMUNI_TRUSTED_PROXIES": text}, None)
    return read_settings(ProxySettings, source).trusted_proxies


def test_nobody_is_trusted_unless_somebody_says_so() -> None:
    assert ProxySettings().trusted_proxies == NO_PROXIES
    assert read("") == NO_PROXIES


def test_the_setting_is_written_as_it_is_read() -> None:
    assert str(read(" 10.0.0.0/8,2001:db8::7 ")) == "10.0.0.0/8, 2001:db8::7/128"
    assert read(str(PROXIES)) == PROXIES


@pytest.mark.parametrize(
    "text", ["0.0.0.0/0", "10.0.0.0/8, ::/0", "10.0.0.1/8", "10.0.0.0/8,", "*", "proxy.example"]
)
def test_a_setting_that_trusts_everybody_or_nobody_knows_whom_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="trusted_proxies"):
        read(text)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("lines", "source"),
    [
        ([], PROXY),
        ([b"203.0.113.1", b"198.51.100.9, 10.0.0.2"], PHONE),
        ([b"198.51.100.9", b"\xff\xfe"], PROXY),
    ],
)
async def test_an_application_sees_the_source_as_its_client(
    lines: list[bytes], source: str
) -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(source_of(scope))

    async def receive() -> Message:
        raise NotImplementedError

    async def send(_message: Message) -> None:
        raise NotImplementedError

    headers = [(b"x-forwarded-for", line) for line in lines]
    scope = {"type": "http", "client": (PROXY, 4711), "headers": headers}
    await Forwarded(app, PROXIES)(scope, receive, send)
    await Forwarded(app, NO_PROXIES)(scope, receive, send)
    await Forwarded(app, PROXIES)({"type": "lifespan"}, receive, send)

    assert seen == [source, PROXY, ""]
