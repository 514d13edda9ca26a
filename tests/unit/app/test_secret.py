import pytest

from immuni.app.secret import InstallationSecret, InvalidSecretError
from immuni.entropy import SeededEntropy

SECRET = InstallationSecret.draw(SeededEntropy("one"))
OTHER = InstallationSecret.draw(SeededEntropy("another"))


def test_a_secret_is_read_as_it_was_written() -> None:
    assert InstallationSecret.parse(f" {SECRET.text}\n") == SECRET
    assert len(SECRET.text) == 43


@pytest.mark.parametrize("text", ["", "short", "*" * 43, SECRET.text + "AAAA", "à" * 43])
def test_anything_else_is_no_secret(text: str) -> None:
    with pytest.raises(InvalidSecretError):
        InstallationSecret.parse(text)


def test_a_secret_is_told_by_its_text_and_shown_by_its_cookie_only() -> None:
    assert SECRET.is_told_by(SECRET.text)
    assert SECRET.is_shown_by(SECRET.cookie)
    for text in ("", OTHER.text, SECRET.cookie, SECRET.text[:-1], "\udcff"):
        assert not SECRET.is_told_by(text)
    for text in ("", OTHER.cookie, SECRET.text, SECRET.cookie[:-1], "\udcff"):
        assert not SECRET.is_shown_by(text)


def test_what_a_browser_and_a_name_show_does_not_hold_the_secret() -> None:
    shown = SECRET.cookie + SECRET.label + repr(SECRET)

    assert SECRET.text not in shown
    assert SECRET.key.hex() not in shown
    assert SECRET.label.isalnum()
    assert len({SECRET.label, OTHER.label}) == 2
