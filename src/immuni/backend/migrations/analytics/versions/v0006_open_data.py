"""Keep what open data cost, and what was published."""

from immuni.database.migrations import execute_sql

revision = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """Create the budget, and the cells: none without its charge, and nobody changes any."""
    execute_sql("""
        CREATE TABLE analytics.privacy_budget (
            month date PRIMARY KEY CHECK (extract(day FROM month) = 1),
            epsilon double precision NOT NULL CHECK (epsilon > 0),
            charged_on date NOT NULL
        );
        COMMENT ON TABLE analytics.privacy_budget IS
            'what each release of open data cost; charged before anything is drawn, and for good';

        CREATE TABLE analytics.open_cell (
            month date NOT NULL REFERENCES analytics.privacy_budget,
            place text NOT NULL,
            platform text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('healthy', 'impaired', 'notified')),
            reports bigint NOT NULL,
            PRIMARY KEY (month, place, platform, kind)
        );
        COMMENT ON COLUMN analytics.open_cell.reports IS 'with noise, so that it may be negative';

        GRANT SELECT, INSERT ON analytics.privacy_budget, analytics.open_cell TO immuni_analytics;
        GRANT SELECT ON analytics.privacy_budget, analytics.open_cell TO immuni_dashboard;
    """)
