"""The login of the dashboard sees what may be shown, and nothing that it was made from."""

import psycopg
import pytest
from psycopg import sql

from immuni.dashboard.figures import Figures
from immuni.deployment.databases import AnalyticsDatabase

SHOWN = {"release", "figure", "effective_rate", "privacy_budget", "open_cell"}


def tables_of(database: AnalyticsDatabase) -> set[str]:
    with psycopg.connect(database.owner) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace AS space ON space.oid = relnamespace"
            " WHERE nspname = 'analytics' AND relkind IN ('r', 'p', 'v', 'm')"
        ).fetchall()
    return {name for (name,) in rows}


def test_it_reads_what_may_be_shown_and_nothing_else(
    analytics_database: AnalyticsDatabase,
) -> None:
    hidden = tables_of(analytics_database) - SHOWN
    assert {"operational_info", "epidemiological_info", "report_count"} <= hidden

    with psycopg.connect(analytics_database.dashboard, autocommit=True) as connection:
        for table in SHOWN:
            connection.execute(sql.SQL("SELECT * FROM analytics.{}").format(sql.Identifier(table)))
        for table in hidden:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(
                    sql.SQL("SELECT * FROM analytics.{}").format(sql.Identifier(table))
                )


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM analytics.figure",
        "UPDATE analytics.figure SET count = 7",
        "INSERT INTO analytics.release VALUES ('active', 'day', 'nothing', '2020-10-01')",
        "TRUNCATE analytics.effective_rate",
        "CREATE TABLE analytics.mine ()",
        "CREATE TABLE public.mine ()",
    ],
)
def test_it_changes_nothing(filled: AnalyticsDatabase, figures: Figures, statement: str) -> None:
    assert figures.tables
    with (
        psycopg.connect(filled.dashboard, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)
