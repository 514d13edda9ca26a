"""What every page handler needs: going on to another page, and reading a form."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse


def go_to(path: str) -> RedirectResponse:
    """Send the browser to another page with GET, so that reloading it repeats nothing."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form; files are none of ours and passed over."""
    async with request.form() as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}
