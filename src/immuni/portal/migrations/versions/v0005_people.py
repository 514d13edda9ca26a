"""Let people be invited, leave and come in lists, and organisations begin and close."""

from immuni.database.migrations import execute_sql

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Widen organisations and accounts; add invitations and imports."""
    execute_sql(
        """
        ALTER TABLE organisation
            ADD COLUMN kind text NOT NULL DEFAULT 'other'
                CHECK (kind IN ('region', 'hospital', 'other')),
            ADD COLUMN parent_id bigint REFERENCES organisation CHECK (parent_id <> id),
            ADD COLUMN active_from date,
            ADD COLUMN closed_at timestamptz;
        -- Those that are at work go on: the day before they were made has come everywhere.
        UPDATE organisation SET active_from = (created_at AT TIME ZONE 'UTC')::date - 1;
        ALTER TABLE organisation ALTER COLUMN active_from SET NOT NULL;

        ALTER TABLE operator_account
            ADD COLUMN display_name text NOT NULL DEFAULT '',
            ALTER COLUMN password_hash DROP NOT NULL;
        CREATE INDEX operator_account_of_organisation ON operator_account (organisation_id);

        CREATE TABLE people_import (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            authority_id smallint NOT NULL DEFAULT 1 REFERENCES authority,
            made_by bigint NOT NULL REFERENCES operator_account,
            made_at timestamptz NOT NULL,
            applied_at timestamptz,
            finished_at timestamptz,
            links_shown_at timestamptz
        );

        CREATE TABLE invitation (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            authority_id smallint NOT NULL DEFAULT 1 REFERENCES authority,
            token_hash bytea UNIQUE CHECK (length(token_hash) = 32),
            organisation_id bigint NOT NULL REFERENCES organisation,
            role text NOT NULL
                CHECK (role IN ('operator', 'supervisor', 'administrator', 'auditor')),
            user_name text NOT NULL DEFAULT '',
            display_name text NOT NULL DEFAULT '',
            import_id bigint REFERENCES people_import ON DELETE SET NULL,
            invited_by bigint REFERENCES operator_account,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            accepted_at timestamptz,
            revoked_at timestamptz
        );
        CREATE INDEX invitation_expiry ON invitation (expires_at);
        CREATE INDEX invitation_of_user ON invitation (user_name)
            WHERE accepted_at IS NULL AND revoked_at IS NULL;

        CREATE TABLE people_import_row (
            import_id bigint NOT NULL REFERENCES people_import ON DELETE CASCADE,
            line integer NOT NULL,
            user_name text NOT NULL,
            display_name text NOT NULL,
            role text NOT NULL,
            organisation text NOT NULL,
            verdict text NOT NULL,
            done_at timestamptz,
            invitation_id bigint REFERENCES invitation ON DELETE SET NULL,
            PRIMARY KEY (import_id, line)
        );
        CREATE INDEX people_import_row_of_invitation ON people_import_row (invitation_id);

        GRANT UPDATE ON organisation TO immuni_portal;
        GRANT SELECT, INSERT, UPDATE, DELETE
            ON invitation, people_import, people_import_row TO immuni_portal;
        """
    )
