"""Which application answers a request, by its path and method."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp

_METHODS: Final = {"GET": ("GET", "HEAD"), "POST": ("POST",)}


@dataclass(frozen=True, slots=True)
class Route:
    """What was found for a request.

    Attributes:
        path: The path of the table, its parameters in braces.
        app: Answers the request.
    """

    path: str
    app: ASGIApp


@dataclass(frozen=True, slots=True)
class Routes:
    """Applications by path and method; a path without parameters is found in one step."""

    _plain: dict[str, dict[str, Route]] = field(default_factory=dict)
    _patterns: dict[re.Pattern[str], dict[str, Route]] = field(default_factory=dict)

    def add(self, path: str, app: ASGIApp, *, method: str = "GET") -> None:
        """Let `app` answer under a path; what answers GET answers HEAD as well."""
        if "{" in path:
            pattern, _, _ = compile_path(path)
            routes = self._patterns.setdefault(pattern, {})
        else:
            routes = self._plain.setdefault(path, {})
        routes |= dict.fromkeys(_METHODS[method], Route(path, app))

    def find(self, path: str, method: str) -> tuple[Route, Mapping[str, str]]:
        """Return the route of a request, and the parameters in its path.

        Raises:
            HTTPException: No path of the table is like this one (404), or not with this method
                (405).
        """
        routes = self._plain.get(path)
        if routes is not None:
            return _of_method(routes, method), {}
        for pattern, others in self._patterns.items():
            if match := pattern.match(path):
                return _of_method(others, method), match.groupdict()
        raise HTTPException(HTTPStatus.NOT_FOUND)


def _of_method(routes: Mapping[str, Route], method: str) -> Route:
    if method not in routes:
        raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": _listed(routes)})
    return routes[method]


def _listed(methods: Iterable[str]) -> str:
    return ", ".join(sorted(methods))
