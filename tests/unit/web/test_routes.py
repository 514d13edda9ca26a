from http import HTTPStatus

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from immuni.web.routes import Routes


async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("nobody calls it")


@pytest.fixture
def routes() -> Routes:
    found = Routes()
    for path, method in [
        ("/v1/keys/index", "GET"),
        ("/v1/keys/{index}", "GET"),
        ("/v1/upload", "POST"),
        ("/v1/upload", "GET"),
        ("/v1/check", "POST"),
    ]:
        found.add(path, app, method=method)
    return found


@pytest.mark.parametrize(
    ("path", "method", "found", "parameters"),
    [
        ("/v1/keys/index", "GET", "/v1/keys/index", {}),
        ("/v1/keys/index", "HEAD", "/v1/keys/index", {}),
        ("/v1/keys/17", "GET", "/v1/keys/{index}", {"index": "17"}),
        ("/v1/keys/ 17", "GET", "/v1/keys/{index}", {"index": " 17"}),
        ("/v1/upload", "POST", "/v1/upload", {}),
        ("/v1/upload", "HEAD", "/v1/upload", {}),
    ],
)
def test_a_path_finds_its_row_of_the_table(
    routes: Routes, path: str, method: str, found: str, parameters: dict[str, str]
) -> None:
    route, given = routes.find(path, method)

    assert (route.path, given) == (found, parameters)


@pytest.mark.parametrize(
    "path", ["", "/", "/v1/keys", "/v1/keys/", "/v1/keys/1/2", "/v1/upload/", "/V1/upload"]
)
def test_a_path_that_is_not_in_the_table_is_not_found(routes: Routes, path: str) -> None:
    with pytest.raises(HTTPException) as refused:
        routes.find(path, "GET")

    assert refused.value.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/v1/keys/1", "POST", "GET, HEAD"),
        ("/v1/upload", "PUT", "GET, HEAD, POST"),
        ("/v1/check", "HEAD", "POST"),
        ("/v1/check", "post", "POST"),
    ],
)
def test_another_method_is_told_which_ones_there_are(
    routes: Routes, path: str, method: str, allowed: str
) -> None:
    with pytest.raises(HTTPException) as refused:
        routes.find(path, method)

    assert refused.value.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert refused.value.headers == {"Allow": allowed}
