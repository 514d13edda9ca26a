"""Chain the audit trail: each event has a code, and one row tells where the chain ends."""

from immuni.database.migrations import execute_sql

revision = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """Add the codes, and the head.

    Events that are there already get no code, for the key is not at hand: the first event that is
    appended vouches for them (`immuni.portal.audit.chain`).
    """
    execute_sql(
        """
        ALTER TABLE audit_event
            ALTER COLUMN id DROP IDENTITY,
            ADD COLUMN key_id text CHECK (key_id <> ''),
            ADD COLUMN mac bytea CHECK (length(mac) = 32),
            ADD CONSTRAINT audit_event_chained
                CHECK (key_id IS NOT NULL AND mac IS NOT NULL) NOT VALID;

        CREATE TABLE audit_head (
            authority_id smallint PRIMARY KEY REFERENCES authority,
            last_id bigint NOT NULL,
            mac bytea CHECK (length(mac) = 32),
            key_id text,
            events bigint NOT NULL
        ) WITH (fillfactor = 50);
        INSERT INTO audit_head (authority_id, last_id, mac, events)
            SELECT 1, coalesce(max(id), 0),
                CASE WHEN count(*) = 0 THEN decode(repeat('00', 32), 'hex') END, count(*)
            FROM audit_event;
        GRANT SELECT, UPDATE (last_id, mac, key_id, events) ON audit_head TO immuni_portal;
        """
    )
