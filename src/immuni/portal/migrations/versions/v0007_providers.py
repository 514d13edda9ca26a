"""Let people sign in with the OpenID provider of their region."""

from immuni.database.migrations import execute_sql

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    """Create the tables, and let the portal do no more with each than it needs."""
    execute_sql(
        """
        CREATE TABLE provider_identity (
            issuer text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 255),
            subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
            account_id bigint NOT NULL REFERENCES operator_account,
            linked_at timestamptz NOT NULL,
            PRIMARY KEY (issuer, subject),
            UNIQUE (account_id, issuer)
        );

        CREATE TABLE provider_flow (
            id_hash bytea PRIMARY KEY CHECK (length(id_hash) = 32),
            provider text NOT NULL,
            account_id bigint REFERENCES operator_account,
            begun_at timestamptz NOT NULL
        );
        CREATE INDEX provider_flow_begun_at ON provider_flow (begun_at);

        GRANT SELECT, INSERT, UPDATE, DELETE ON provider_identity TO immuni_portal;
        GRANT SELECT, INSERT, DELETE ON provider_flow TO immuni_portal;
        """
    )
