from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from immuni.entropy import SeededEntropy
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Role
from immuni.portal.signing_in.sessions import CookieSecret, Proof, Session

START = datetime(2020, 6, 20, 12, tzinfo=UTC)
ACCOUNT = Account(
    id=1,
    user="anna",
    organisation_id=1,
    organisation="H",
    role=Role.OPERATOR,
    password_hash="$argon2",
)


def drawn(seed: int) -> CookieSecret:
    return CookieSecret.draw(SeededEntropy(seed))


def session_of(cookie: CookieSecret) -> Session:
    return Session(
        id=1, account=ACCOUNT, cookie=cookie, whole=True, proof=Proof.PASSWORD, proven_at=START
    )


@given(st.binary(min_size=32, max_size=32))
def test_a_cookie_is_read_back_as_it_was_written(secret: bytes) -> None:
    cookie = CookieSecret(secret)

    assert CookieSecret.parse(cookie.text) == cookie
    assert cookie.text.isascii()


@given(st.none() | st.text())
def test_any_other_text_is_no_cookie_or_one_that_nobody_was_given(text: str | None) -> None:
    cookie = CookieSecret.parse(text)

    assert cookie is None or len(cookie.secret) == 32


def test_the_database_learns_neither_the_cookie_nor_the_form_token() -> None:
    cookie = drawn(1)

    assert cookie.hash != cookie.secret
    assert cookie.hash.hex() != cookie.csrf_token


def test_a_session_knows_the_forms_that_were_made_for_it() -> None:
    session, other = session_of(drawn(1)), session_of(drawn(2))

    assert session.wrote(session.cookie.csrf_token)
    assert not session.wrote(other.cookie.csrf_token)
    assert not session.wrote("")
    assert not session.wrote("é")


def test_secrets_show_in_no_repr() -> None:
    session = session_of(drawn(1))

    assert session.cookie.text not in repr(session)
    assert repr(session.cookie.secret) not in repr(session)
    assert "argon2" not in repr(session)
