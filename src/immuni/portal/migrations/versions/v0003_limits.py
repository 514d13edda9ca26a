"""Count the codes of each day, warn of what is unusual, and let people be stopped."""

from immuni.database.migrations import execute_sql

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Create the tables of days, warnings and stops."""
    execute_sql(
        """
        CREATE TABLE work_day (
            scope text NOT NULL CHECK (scope IN ('account', 'organisation')),
            subject_id bigint NOT NULL,
            day date NOT NULL,
            count integer NOT NULL DEFAULT 0 CHECK (count >= 0),
            hours integer[] NOT NULL DEFAULT array_fill(0, ARRAY[24])
                CHECK (cardinality(hours) = 24),
            quota integer NOT NULL,
            warn_above integer NOT NULL,
            extra integer NOT NULL DEFAULT 0 CHECK (extra >= 0),
            PRIMARY KEY (scope, subject_id, day)
        );

        CREATE TABLE warning (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at timestamptz NOT NULL,
            day date NOT NULL,
            kind text NOT NULL CHECK (kind IN ('much', 'quota', 'pace', 'hour')),
            scope text NOT NULL CHECK (scope IN ('account', 'organisation')),
            subject_id bigint NOT NULL,
            organisation_id bigint NOT NULL REFERENCES organisation,
            count integer NOT NULL,
            busy integer NOT NULL,
            seen_at timestamptz,
            seen_by bigint REFERENCES operator_account,
            UNIQUE (scope, subject_id, day, kind)
        );
        CREATE INDEX warning_of_organisation ON warning (organisation_id, at DESC);

        CREATE TABLE stop (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            scope text NOT NULL CHECK (scope IN ('account', 'organisation', 'everything')),
            subject_id bigint CHECK ((subject_id IS NULL) = (scope = 'everything')),
            reason text NOT NULL CHECK (reason <> ''),
            by_authority boolean NOT NULL,
            stopped_at timestamptz NOT NULL,
            stopped_by bigint NOT NULL REFERENCES operator_account,
            released_at timestamptz,
            released_by bigint REFERENCES operator_account
        );
        CREATE UNIQUE INDEX stop_in_force ON stop (scope, coalesce(subject_id, 0))
            WHERE released_at IS NULL;

        GRANT SELECT, INSERT, UPDATE, DELETE ON work_day, warning TO immuni_portal;
        GRANT SELECT, INSERT, UPDATE ON stop TO immuni_portal;
        """
    )
