"""The JSON API, and the same tables as CSV."""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from typing import Any, Final

from immuni.api import Territory, encode
from immuni.dashboard.answers import (
    EarlyWarningAnswer,
    EstimatesAnswer,
    FiguresAnswer,
    ForecastAnswer,
    MonthsAnswer,
    ReleaseAnswer,
    ReleasesAnswer,
)
from immuni.dashboard.errors import NotReleasedError
from immuni.dashboard.examples import EARLY_WARNING, ESTIMATES, FIGURES, FORECAST, MONTHS, RELEASES
from immuni.dashboard.export import CSV, estimates_csv, figures_csv
from immuni.dashboard.figures import (
    Breakdown,
    Figures,
    FigureStore,
    FigureTable,
    Span,
    Subject,
    TableName,
)
from immuni.dashboard.months import Month
from immuni.dashboard.sections.outlook import days_ahead
from immuni.dashboard.sections.territory import warnings
from immuni.dashboard.settings import DashboardSettings
from immuni.web import Call, Endpoint, Method, Parameter, Place, QueryError, Reply, ReplyHeader

MONTH_PATTERN: Final = r"2[0-9]{3}-(0[1-9]|1[0-2])"

_MONTH: Final = Parameter(
    name="month",
    place=Place.QUERY,
    description="The month, in UTC.",
    pattern=MONTH_PATTERN,
    example="2020-10",
)
_TABLE: Final = (
    Parameter(
        name="subject",
        place=Place.QUERY,
        description="What is counted.",
        options=tuple(Subject),
    ),
    Parameter(
        name="span",
        place=Place.QUERY,
        description="Over which time: a day, a quarter of a month, a month.",
        options=tuple(Span),
        example="month",
    ),
    Parameter(
        name="breakdown",
        place=Place.QUERY,
        description="What the counts are told apart by.",
        options=tuple(Breakdown),
        example="place",
    ),
    Parameter(
        name="since",
        place=Place.QUERY,
        description="The first day of that time, in UTC.",
        pattern=r"2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
        example="2020-10-01",
    ),
)
_ATTACHMENT: Final = ReplyHeader(
    name="Content-Disposition",
    description="The file's name, for browsers.",
    pattern=r'attachment; filename="[a-z0-9-]+\.csv"',
    example='attachment; filename="active-month-place-2020-10-01.csv"',
    statuses=(HTTPStatus.OK,),
)
_ESTIMATED: Final = (Subject.ACTIVE, Subject.NOTIFIED)


class Api:
    """Answers with figures as they are stored, and with what follows from them."""

    def __init__(
        self, store: FigureStore, *, territory: Territory, settings: DashboardSettings
    ) -> None:
        """Keep where they are read, and what the rest is made with."""
        self._store = store
        self._territory = territory
        self._settings = settings

    def endpoints(self) -> Sequence[Endpoint[Any]]:
        """Return its table."""
        return [
            _json("/v1/months", "List the months with figures", self.months, MONTHS),
            _json("/v1/releases", "List the tables of a month", self.releases, RELEASES, [_MONTH]),
            _json("/v1/figures", "Read a table of figures", self.figures, FIGURES, _TABLE),
            _json("/v1/estimates", "Estimate phones", self.estimates, ESTIMATES, _TABLE),
            _json("/v1/forecast", "Forecast the days ahead", self.forecast, FORECAST, [_MONTH]),
            _json(
                "/v1/early-warning",
                "Warn of provinces early",
                self.early_warning,
                EARLY_WARNING,
                [_MONTH],
            ),
            _csv("/v1/figures.csv", "Download a table of figures", self.figures_csv),
            _csv("/v1/estimates.csv", "Download estimates of phones", self.estimates_csv),
        ]

    async def months(self, _call: Call[None]) -> Reply:
        """Answer with the months of which anything is shown."""
        months = await self._store.months()
        return Reply(body=encode(MonthsAnswer(months=[str(each) for each in months])))

    async def releases(self, call: Call[None]) -> Reply:
        """Answer with the tables that begin in a month; there may be none."""
        keys = await self._store.releases(Month.parse(call.query["month"]))
        return Reply(body=encode(ReleasesAnswer(releases=[ReleaseAnswer.of(key) for key in keys])))

    async def figures(self, call: Call[None]) -> Reply:
        """Answer with a table.

        Raises:
            NotReleasedError: There is none.
        """
        return Reply(body=encode(FiguresAnswer.of(await self._table(call))))

    async def figures_csv(self, call: Call[None]) -> Reply:
        """Answer with a table as CSV, and refuse as `figures` does."""
        answer = FiguresAnswer.of(await self._table(call))
        return _attached(figures_csv(answer), answer.release, "")

    async def estimates(self, call: Call[None]) -> Reply:
        """Answer with estimates from a table.

        Raises:
            QueryError: Its counts are no reports.
            NotReleasedError: There is none.
        """
        return Reply(body=encode(await self._estimates(call)))

    async def estimates_csv(self, call: Call[None]) -> Reply:
        """Answer with estimates as CSV, and refuse as `estimates` does."""
        answer = await self._estimates(call)
        return _attached(estimates_csv(answer), answer.release, "estimates-")

    async def forecast(self, call: Call[None]) -> Reply:
        """Answer with what is to be expected after a month, or now if it runs."""
        month = Month.parse(call.query["month"])
        figures = await self._store.of_page(month)
        days = days_ahead(figures, month, self._settings.forecast)
        return Reply(body=encode(ForecastAnswer.of(days or ())))

    async def early_warning(self, call: Call[None]) -> Reply:
        """Answer with what is said of every province at the end of a month, or now if it runs."""
        month = Month.parse(call.query["month"])
        figures = await self._store.of_page(month)
        found, _ = warnings(figures, month, self._territory, self._settings.early_warning)
        return Reply(body=encode(EarlyWarningAnswer.of(found)))

    async def _table(self, call: Call[None]) -> FigureTable:
        table = await self._store.table(_key(call))
        if table is None:
            raise NotReleasedError("nothing was decided about such a table")
        return table

    async def _estimates(self, call: Call[None]) -> EstimatesAnswer:
        if call.query["subject"] not in _ESTIMATED or call.query["span"] == Span.DAY:
            raise QueryError("only reports of periods and months are estimated from")
        table = await self._table(call)
        month = Month.of(table.key.since)
        rates = await self._store.rates(month.first, month.next.first)
        return EstimatesAnswer.of(Figures({table.key: table}, rates), table)


def _key(call: Call[None]) -> TableName:
    query = call.query
    try:
        since = date.fromisoformat(query["since"])
    except ValueError as error:
        raise QueryError("query since is no day") from error
    return TableName(
        Subject(query["subject"]), Span(query["span"]), Breakdown(query["breakdown"]), since
    )


def _attached(body: bytes, release: ReleaseAnswer, kind: str) -> Reply:
    name = f"{kind}{release.subject}-{release.span}-{release.breakdown}-{release.since}.csv"
    return Reply(
        body=body,
        content_type=CSV,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _json(
    path: str,
    summary: str,
    handler: Any,  # noqa: ANN401 - of an endpoint without a body
    example: Any,  # noqa: ANN401 - an answer, whose type the document tells
    parameters: Sequence[Parameter] = (),
) -> Endpoint[Any]:
    return Endpoint(
        method=Method.GET,
        path=path,
        summary=summary,
        handler=handler,
        replies={HTTPStatus.OK: type(example)},
        reply_examples={HTTPStatus.OK: example},
        parameters=parameters,
        errors=(NotReleasedError,),
    )


def _csv(path: str, summary: str, handler: Any) -> Endpoint[Any]:  # noqa: ANN401 - as above
    return Endpoint(
        method=Method.GET,
        path=path,
        summary=summary,
        handler=handler,
        replies={HTTPStatus.OK: CSV},
        parameters=_TABLE,
        errors=(NotReleasedError,),
        says=(_ATTACHMENT,),
    )
