"""Count reports by day, keep what may be shown of them, and let the dashboard read that alone."""

from immuni.database.migrations import execute_sql

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Create the counts, which only the service reads, and the figures, which people see."""
    _counts()
    _figures()


def _counts() -> None:
    execute_sql("""
        CREATE TABLE analytics.counted_day (day date PRIMARY KEY);
        COMMENT ON TABLE analytics.counted_day IS 'days that are over, whose rows were counted';

        CREATE TABLE analytics.report_count (
            day date NOT NULL,
            province text NOT NULL,
            platform text NOT NULL,
            build integer,
            kind text NOT NULL CHECK (kind IN ('healthy', 'impaired', 'notified')),
            reports bigint NOT NULL CHECK (reports > 0)
        );
        CREATE INDEX report_count_day ON analytics.report_count (day);
        COMMENT ON COLUMN analytics.report_count.kind IS
            'notified: with exposure; else healthy, which means all permissions, or impaired';

        CREATE TABLE analytics.notified_count (
            day date NOT NULL,
            province text NOT NULL,
            last_risky_on date,
            reports bigint NOT NULL CHECK (reports > 0)
        );
        CREATE INDEX notified_count_day ON analytics.notified_count (day);

        CREATE TABLE analytics.upload_count (
            day date NOT NULL,
            province text NOT NULL,
            onset text NOT NULL,
            exposure text NOT NULL CHECK (exposure IN ('warned', 'matched', 'nothing')),
            uploads bigint NOT NULL CHECK (uploads > 0)
        );
        CREATE INDEX upload_count_day ON analytics.upload_count (day);
        COMMENT ON COLUMN analytics.upload_count.exposure IS
            'what the phone had found before: an exposure that it warned of, another one, or none';

        CREATE TABLE analytics.code_count (
            day date NOT NULL,
            name text NOT NULL,
            codes bigint NOT NULL CHECK (codes > 0),
            PRIMARY KEY (day, name)
        );
        COMMENT ON TABLE analytics.code_count IS 'daily counters of the services, carried over';

        CREATE TABLE analytics.sampling_rate (
            day date NOT NULL,
            platform text NOT NULL,
            starting_build integer NOT NULL,
            with_exposure double precision NOT NULL,
            without_exposure double precision NOT NULL,
            PRIMARY KEY (day, platform, starting_build)
        );
        COMMENT ON TABLE analytics.sampling_rate IS
            'what phones drew against on a day, from a build on';

        GRANT SELECT, INSERT, DELETE ON analytics.counted_day, analytics.report_count,
            analytics.notified_count, analytics.upload_count, analytics.code_count,
            analytics.sampling_rate TO immuni_analytics;
    """)


def _figures() -> None:
    execute_sql("""
        CREATE TABLE analytics.release (
            subject text NOT NULL,
            span text NOT NULL CHECK (span IN ('day', 'period', 'month')),
            breakdown text NOT NULL,
            since date NOT NULL,
            PRIMARY KEY (subject, span, breakdown, since)
        );
        COMMENT ON TABLE analytics.release IS
            'tables of which was decided, once and for all, what is shown';

        CREATE TABLE analytics.figure (
            subject text NOT NULL,
            span text NOT NULL,
            breakdown text NOT NULL,
            since date NOT NULL,
            cell text[] NOT NULL,
            count bigint,
            PRIMARY KEY (subject, span, breakdown, since, cell),
            FOREIGN KEY (subject, span, breakdown, since) REFERENCES analytics.release
                ON DELETE CASCADE
        );
        COMMENT ON COLUMN analytics.figure.count IS
            'null: not shown; a cell that is missing from a table is 0';

        CREATE TABLE analytics.effective_rate (
            month date NOT NULL,
            subject text NOT NULL,
            breakdown text NOT NULL,
            node text NOT NULL,
            rate double precision CHECK (rate > 0 AND rate <= 1),
            spread double precision NOT NULL DEFAULT 1 CHECK (spread >= 1),
            PRIMARY KEY (month, subject, breakdown, node)
        );
        COMMENT ON TABLE analytics.effective_rate IS
            'reports of a month for each phone that drew; null where it is not known';
        COMMENT ON COLUMN analytics.effective_rate.spread IS
            'how much larger the variance of an estimate is than with one rate all month';

        GRANT SELECT, INSERT, DELETE ON analytics.release, analytics.figure,
            analytics.effective_rate TO immuni_analytics;
        GRANT USAGE ON SCHEMA analytics TO immuni_dashboard;
        GRANT SELECT ON analytics.release, analytics.figure, analytics.effective_rate
            TO immuni_dashboard;
    """)
