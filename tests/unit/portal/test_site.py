import pytest

from immuni.portal.site import InvalidPublicUrlError, Site


@pytest.mark.parametrize(
    ("url", "site"),
    [
        (
            "http://portal.localhost:8404",
            Site(origin="http://portal.localhost:8404", prefix="", secure=False),
        ),
        ("http://127.0.0.1:8404/", Site(origin="http://127.0.0.1:8404", prefix="", secure=False)),
        ("http://localhost:80", Site(origin="http://localhost", prefix="", secure=False)),
        (
            "https://Portal.Example.IT",
            Site(origin="https://portal.example.it", prefix="", secure=True),
        ),
        (
            "https://portal.example:443/his/",
            Site(origin="https://portal.example", prefix="/his", secure=True),
        ),
        (
            "https://portal.example:8443/a/b",
            Site(origin="https://portal.example:8443", prefix="/a/b", secure=True),
        ),
    ],
)
def test_a_url_gives_the_origin_that_browsers_write(url: str, site: Site) -> None:
    assert Site.parse(url) == site


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example",
        "http://localhost.example:8404",
        "http://192.0.2.1",
        "ftp://localhost",
        "portal.localhost:8404",
        "https://portal.example/?a=b",
        "https://portal.example/#top",
        "https://user@portal.example",
        "",
    ],
)
def test_a_url_that_would_show_passwords_or_make_no_sense_is_refused(url: str) -> None:
    with pytest.raises(InvalidPublicUrlError):
        Site.parse(url)


def test_links_carry_the_prefix_that_a_proxy_takes_off() -> None:
    assert Site.parse("https://portal.example/his").link("/sign-in") == "/his/sign-in"
    assert Site.parse("http://portal.localhost").link("/") == "/"


def test_cookies_are_bound_to_the_host_wherever_there_is_tls() -> None:
    assert Site.parse("https://portal.example").cookie("session") == "__Host-immuni-session"
    assert Site.parse("http://portal.localhost").cookie("session") == "immuni-session"
