"""Give accounts second factors: authenticator apps, passkeys, recovery codes."""

from immuni.database.migrations import execute_sql

revision = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    """Create the tables; secrets of apps are encrypted, recovery codes are hashed."""
    execute_sql(
        """
        CREATE TABLE totp (
            account_id bigint PRIMARY KEY REFERENCES operator_account,
            key_id text NOT NULL,
            sealed bytea NOT NULL,
            created_at timestamptz NOT NULL,
            confirmed_at timestamptz,
            last_step bigint NOT NULL DEFAULT 0,
            strange integer NOT NULL DEFAULT 0,
            strange_since timestamptz
        );
        CREATE TABLE recovery_code (
            account_id bigint NOT NULL REFERENCES operator_account,
            code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
            PRIMARY KEY (account_id, code_hash)
        );
        CREATE TABLE passkey (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            account_id bigint NOT NULL REFERENCES operator_account,
            credential_id bytea NOT NULL UNIQUE,
            public_key bytea NOT NULL,
            sign_count bigint NOT NULL,
            name text NOT NULL,
            created_at timestamptz NOT NULL,
            last_used_at timestamptz
        );
        CREATE INDEX passkey_of_account ON passkey (account_id);
        CREATE TABLE used_challenge (
            mark bytea PRIMARY KEY CHECK (length(mark) = 32),
            expires_at timestamptz NOT NULL
        );
        GRANT SELECT, INSERT, UPDATE, DELETE ON totp, passkey TO immuni_portal;
        GRANT SELECT, INSERT, DELETE ON recovery_code TO immuni_portal;
        GRANT SELECT, INSERT, DELETE ON used_challenge TO immuni_portal;
        """
    )
