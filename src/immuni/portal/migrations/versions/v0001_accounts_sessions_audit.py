"""Give the portal its accounts, sessions and audit trail."""

from immuni.database.migrations import execute_sql

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Create the tables, and let the portal do no more with each than it needs."""
    execute_sql(
        """
        CREATE TABLE authority (
            id smallint PRIMARY KEY,
            name text NOT NULL UNIQUE
        );
        INSERT INTO authority (id, name) VALUES (1, 'National Healthcare Service');

        CREATE TABLE organisation (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            authority_id smallint NOT NULL DEFAULT 1 REFERENCES authority,
            name text NOT NULL CHECK (name <> ''),
            created_at timestamptz NOT NULL,
            UNIQUE (authority_id, name)
        );

        CREATE TABLE operator_account (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            authority_id smallint NOT NULL DEFAULT 1 REFERENCES authority,
            organisation_id bigint NOT NULL REFERENCES organisation,
            user_name text NOT NULL,
            password_hash text NOT NULL,
            role text NOT NULL
                CHECK (role IN ('operator', 'supervisor', 'administrator', 'auditor')),
            created_at timestamptz NOT NULL,
            deactivated_at timestamptz,
            UNIQUE (authority_id, user_name)
        );

        CREATE TABLE session (
            id_hash bytea PRIMARY KEY CHECK (length(id_hash) = 32),
            account_id bigint NOT NULL REFERENCES operator_account,
            created_at timestamptz NOT NULL,
            last_seen_at timestamptz NOT NULL,
            ended_at timestamptz
        );
        CREATE INDEX session_of_account ON session (account_id);
        CREATE INDEX session_last_seen ON session (last_seen_at);

        CREATE TABLE known_browser (
            mark_hash bytea NOT NULL CHECK (length(mark_hash) = 32),
            account_id bigint NOT NULL REFERENCES operator_account,
            last_seen_at timestamptz NOT NULL,
            PRIMARY KEY (mark_hash, account_id)
        );
        CREATE INDEX known_browser_last_seen ON known_browser (last_seen_at);

        CREATE TABLE audit_event (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            authority_id smallint NOT NULL DEFAULT 1 REFERENCES authority,
            at timestamptz NOT NULL,
            account_id bigint REFERENCES operator_account,
            action text NOT NULL CHECK (action IN (
                'account_creation', 'password_change', 'sign_in', 'sign_out', 'authorisation'
            )),
            outcome text NOT NULL CHECK (outcome IN (
                'done', 'refused', 'authorised', 'already_authorised', 'unavailable'
            ))
        );
        CREATE INDEX audit_event_of_account ON audit_event (account_id, at DESC);

        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the audit trail is append-only';
        END
        $$;
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

        GRANT SELECT ON authority TO immuni_portal;
        GRANT SELECT, INSERT ON organisation, audit_event TO immuni_portal;
        GRANT SELECT, INSERT, UPDATE ON operator_account TO immuni_portal;
        GRANT SELECT, INSERT, UPDATE, DELETE ON session, known_browser TO immuni_portal;
        """
    )
