"""The dashboard as an application: pages, API and the files that pages need."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from immuni.api import ErrorCode, Territory
from immuni.backend.contract import HttpSettings, contract
from immuni.dashboard.api import MONTH_PATTERN, Api
from immuni.dashboard.errors import NotReleasedError
from immuni.dashboard.figures import FigureStore
from immuni.dashboard.pages import HTML, Pages
from immuni.dashboard.settings import DashboardSettings
from immuni.database import Pool
from immuni.web import (
    Application,
    Contract,
    Endpoint,
    ErrorAnswer,
    HttpMetrics,
    Method,
    OverloadLimiter,
    Parameter,
    Place,
    Service,
    build_app,
)
from immuni.web.answering import EndpointApp
from immuni.web.static_files import StaticFiles

_STATIC_FOLDER: Final = Path(__file__).parent / "static"
_STATIC_PATH: Final = "/static/{name:path}"
_MONTH: Final = Parameter(
    name="month",
    place=Place.PATH,
    description="The month, in UTC.",
    pattern=MONTH_PATTERN,
)


def create_dashboard(
    *,
    pool: Pool,
    territory: Territory,
    settings: DashboardSettings,
    http: HttpSettings,
    metrics: HttpMetrics,
    limiter: OverloadLimiter | None = None,
) -> Application:
    """Put the dashboard together.

    Args:
        pool: The analytics database, with the dashboard's own login; whoever opened it closes it.
        territory: Which provinces and regions there are.
        settings: What forecasts and warnings are made with.
        http: What bounds every request.
        metrics: Where requests are counted.
        limiter: Bounds the requests that are worked on; one of its own where None.
    """
    store, files, shared = FigureStore(pool), StaticFiles(_STATIC_FOLDER), dashboard_contract(http)
    limiter = limiter or OverloadLimiter(max_working=http.max_working_requests)
    app = build_app(
        [dashboard_service(store, territory=territory, settings=settings)],
        shared,
        metrics=metrics,
        limiter=limiter,
        expose_docs=http.expose_docs,
    )
    pages = Pages(store, files, territory=territory, settings=settings)
    # Pages tell their refusals to people: no part of the API, and of its document.
    for page in _pages(pages):
        app.add(page.path, pages.layer(EndpointApp(page, shared, limiter)))
    app.add(_STATIC_PATH, files)
    return app


def dashboard_contract(http: HttpSettings) -> Contract:
    """Return the contract of the services, and how the dashboard's own refusal is told."""
    shared = contract(http)
    answer = ErrorAnswer(status=HTTPStatus.NOT_FOUND, code=ErrorCode.GENERAL)
    return replace(shared, answers={**shared.answers, NotReleasedError: answer})


def dashboard_service(
    store: FigureStore, *, territory: Territory, settings: DashboardSettings
) -> Service:
    """Return the JSON API; nothing is read before it is asked."""
    return Service(
        name="dashboard",
        title="Insights",
        endpoints=Api(store, territory=territory, settings=settings).endpoints(),
        is_ready=store.ping,
    )


def _pages(pages: Pages) -> Sequence[Endpoint[Any]]:
    return [
        Endpoint(
            method=Method.GET,
            path="/",
            summary="Show the last month that is over",
            handler=pages.newest,
            replies={HTTPStatus.OK: HTML},
        ),
        Endpoint(
            method=Method.GET,
            path="/months/{month}",
            summary="Show a month",
            handler=pages.month,
            replies={HTTPStatus.OK: HTML},
            parameters=[_MONTH],
        ),
    ]
