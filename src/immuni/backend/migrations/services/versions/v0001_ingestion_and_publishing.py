"""Give the services their schemas: codes and uploads, chunks, jobs.

The jobs' tables are procrastinate's own, as of its version 3.10; a later version of the library
comes with a migration that runs the SQL between the two.
"""

from procrastinate.schema import SchemaManager

from immuni.database.migrations import execute_sql

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Create every schema, and let each role do its own work and no more."""
    execute_sql(_INGESTION)
    execute_sql(_PUBLISHING)
    execute_sql("CREATE SCHEMA jobs; SET LOCAL search_path TO jobs, public;")
    execute_sql(SchemaManager.get_schema())
    execute_sql(_RIGHTS)


_INGESTION = """
CREATE SCHEMA ingestion;

CREATE TABLE ingestion.otp (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key_id text NOT NULL,
    keyed_hash bytea NOT NULL CHECK (octet_length(keyed_hash) = 32),
    request_digest bytea CHECK (octet_length(request_digest) = 32),
    onset_on date,
    tested_on date,
    authorised_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > authorised_at),
    checked boolean NOT NULL DEFAULT false,
    redeemed_digest bytea CHECK (octet_length(redeemed_digest) = 32),
    CHECK (num_nonnulls(onset_on, tested_on) = 1)
);
-- Not unique: a code that expired unused may be authorised again while its row still waits to go.
CREATE INDEX otp_keyed_hash ON ingestion.otp (keyed_hash);
CREATE INDEX otp_expires_at ON ingestion.otp (expires_at);
COMMENT ON COLUMN ingestion.otp.key_id IS 'key of the three HMACs of this row';
COMMENT ON COLUMN ingestion.otp.request_digest IS 'HMAC of the request id and the dates';
COMMENT ON COLUMN ingestion.otp.redeemed_digest IS 'HMAC of the sorted keys; null until used';

CREATE TABLE ingestion.upload (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    packed_keys bytea NOT NULL
        CHECK (octet_length(packed_keys) > 0 AND octet_length(packed_keys) % 22 = 0),
    onset_on date,
    tested_on date,
    received_on date NOT NULL,
    last_end integer NOT NULL,
    simulated boolean NOT NULL DEFAULT false,
    CHECK (num_nonnulls(onset_on, tested_on) = 1)
);
CREATE INDEX upload_last_end ON ingestion.upload (last_end);
COMMENT ON TABLE ingestion.upload IS
    'keys that wait for publication, one row per upload; what is published leaves its row';
COMMENT ON COLUMN ingestion.upload.packed_keys IS
    '22 bytes each, big-endian: key data (16), rolling_start_number (4), rolling_period (2)';
COMMENT ON COLUMN ingestion.upload.last_end IS 'interval in which the youngest key is over';
COMMENT ON COLUMN ingestion.upload.simulated IS 'padding; the mark goes when the key is published';

CREATE TABLE ingestion.outbox (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    received_on date NOT NULL
);
CREATE INDEX outbox_received_on ON ingestion.outbox (received_on);
COMMENT ON TABLE ingestion.outbox IS
    'Epidemiological Info on its way to the analytics database, sealed to the key key_id';
"""

_PUBLISHING = """
CREATE SCHEMA publishing;

CREATE TABLE publishing.chunk (
    index bigint PRIMARY KEY CHECK (index > 0),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    key_count integer NOT NULL CHECK (key_count > 0),
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL CHECK (window_end > window_start)
);
CREATE INDEX chunk_window_end ON publishing.chunk (window_end);
COMMENT ON COLUMN publishing.chunk.digest IS 'SHA-256 of the file';

CREATE TABLE publishing.key (
    key_data bytea PRIMARY KEY CHECK (octet_length(key_data) = 16),
    rolling_start_number integer NOT NULL CHECK (rolling_start_number >= 0),
    rolling_period smallint NOT NULL CHECK (rolling_period BETWEEN 1 AND 144),
    transmission_risk_level smallint NOT NULL CHECK (transmission_risk_level BETWEEN 0 AND 8),
    report_type smallint NOT NULL,
    onset_on date,
    origin text NOT NULL,
    chunk_index bigint NOT NULL REFERENCES publishing.chunk ON DELETE CASCADE
);
CREATE INDEX key_chunk_index ON publishing.key (chunk_index);

CREATE TABLE publishing.progress (
    sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
    newest_index bigint NOT NULL CHECK (newest_index >= 0),
    window_end timestamptz
);
INSERT INTO publishing.progress (newest_index) VALUES (0);
COMMENT ON TABLE publishing.progress IS
    'one row: the last number given to a chunk, kept when every chunk is gone, and the last window';
"""

_RIGHTS = """
SET LOCAL search_path TO DEFAULT;

GRANT USAGE ON SCHEMA ingestion TO immuni_otp, immuni_ingestion, immuni_jobs;
GRANT USAGE ON SCHEMA publishing TO immuni_reporting, immuni_jobs;
GRANT USAGE ON SCHEMA jobs TO immuni_jobs;

GRANT SELECT (key_id, keyed_hash, request_digest, expires_at), INSERT
    ON ingestion.otp TO immuni_otp;

GRANT SELECT, UPDATE (expires_at, checked, redeemed_digest) ON ingestion.otp TO immuni_ingestion;
GRANT INSERT (packed_keys, onset_on, tested_on, received_on, last_end)
    ON ingestion.upload TO immuni_ingestion;
GRANT INSERT (key_id, sealed, received_on) ON ingestion.outbox TO immuni_ingestion;

GRANT SELECT ON publishing.chunk TO immuni_reporting;

GRANT SELECT (id, expires_at), DELETE ON ingestion.otp TO immuni_jobs;
GRANT SELECT, INSERT, UPDATE, DELETE ON ingestion.upload TO immuni_jobs;
GRANT SELECT, DELETE ON ingestion.outbox TO immuni_jobs;
GRANT SELECT, INSERT, DELETE ON publishing.chunk, publishing.key TO immuni_jobs;
GRANT SELECT, UPDATE ON publishing.progress TO immuni_jobs;
GRANT ALL ON ALL TABLES IN SCHEMA jobs TO immuni_jobs;
GRANT ALL ON ALL SEQUENCES IN SCHEMA jobs TO immuni_jobs;
"""
