"""Number the signed heads of the audit trail, and let it be purged in one narrow way."""

from immuni.database.migrations import execute_sql

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Add the number, the checkpoints, and the one function that purges."""
    execute_sql(
        """
        ALTER TABLE audit_head
            ADD COLUMN head_number bigint NOT NULL DEFAULT 0,
            ADD COLUMN head_at timestamptz;
        GRANT UPDATE (head_number, head_at) ON audit_head TO immuni_portal;

        CREATE TABLE audit_checkpoint (
            last_id bigint PRIMARY KEY,
            statement text NOT NULL
        );
        GRANT SELECT ON audit_checkpoint TO immuni_portal;

        CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND current_setting('immuni.purging', true) = 'yes' THEN
                RETURN NULL;
            END IF;
            RAISE EXCEPTION 'the audit trail is append-only';
        END
        $$;

        -- With the rights of the owner, since the portal may delete nothing by itself. The limit is
        -- counted by the database's clock, whatever the portal's says.
        CREATE FUNCTION purge_audit(through bigint, through_mac bytea, signed text)
        RETURNS void LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM audit_event WHERE id = through AND mac = through_mac) THEN
                RAISE EXCEPTION 'the audit trail has no such event %', through;
            END IF;
            IF EXISTS (
                SELECT FROM audit_event WHERE id <= through AND at > now() - interval '180 days'
            ) THEN
                RAISE EXCEPTION 'the audit trail is kept for 180 days at least';
            END IF;
            INSERT INTO audit_checkpoint VALUES (through, signed);
            -- Not by a clause of the function, which takes a superuser to write.
            PERFORM set_config('immuni.purging', 'yes', true);
            DELETE FROM audit_event WHERE id <= through;
            PERFORM set_config('immuni.purging', '', true);
        END
        $$;
        REVOKE EXECUTE ON FUNCTION purge_audit FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION purge_audit TO immuni_portal;
        """
    )
