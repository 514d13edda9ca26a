"""Keep what administrators draft and propose of the settings for phones."""

from immuni.database.migrations import execute_sql

revision = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    """Create drafts, one each, and proposals, whose content nobody changes.

    That author and approver are two accounts is the table's own rule. Sets are kept as text, just
    as they were read: a number keeps its spelling, and a text its every character.
    """
    execute_sql(
        """
        CREATE TABLE settings_draft (
            account_id bigint PRIMARY KEY REFERENCES operator_account,
            based_on bigint NOT NULL CHECK (based_on >= 0),
            entries text NOT NULL,
            changed_at timestamptz NOT NULL
        );

        CREATE TABLE settings_proposal (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            authority_id smallint NOT NULL DEFAULT 1 REFERENCES authority,
            author_id bigint NOT NULL REFERENCES operator_account,
            created_at timestamptz NOT NULL,
            based_on bigint NOT NULL CHECK (based_on >= 0),
            entries text NOT NULL,
            dangers text NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            state text NOT NULL DEFAULT 'open' CHECK (state IN (
                'open', 'approved', 'published', 'rejected', 'withdrawn', 'stale'
            )),
            decided_at timestamptz,
            decided_by bigint REFERENCES operator_account,
            decision text NOT NULL DEFAULT '',
            request_id text,
            version bigint,
            CHECK ((state = 'open') = (decided_by IS NULL)),
            CHECK (state NOT IN ('approved', 'published', 'rejected') OR decided_by <> author_id),
            CHECK (state NOT IN ('withdrawn', 'stale') OR decided_by = author_id),
            CHECK ((state IN ('approved', 'published')) = (request_id IS NOT NULL)),
            CHECK ((state = 'published') = (version IS NOT NULL))
        );
        CREATE INDEX settings_proposal_waiting ON settings_proposal (id)
            WHERE state IN ('open', 'approved');

        GRANT SELECT, INSERT, UPDATE, DELETE ON settings_draft TO immuni_portal;
        GRANT SELECT, INSERT, UPDATE (state, decided_at, decided_by, decision, request_id, version)
            ON settings_proposal TO immuni_portal;
        """
    )
