import pytest

from immuni.portal.site import own_path


@pytest.mark.parametrize("path", ["/", "/account", "/audit?from=2020-06-20&page=2", "/a//b"])
def test_the_portals_own_paths_stay(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "text", ["", "x", "//evil", "/\\evil", "https://evil", "/a\\b", "/a\nb", "/a b", "/è", "/\t/e"]
)
def test_everything_else_is_the_first_page(text: str) -> None:
    assert own_path(text) == "/"
