"""Part analytics by day, and remember what vouched for reports: tokens and salts."""

from immuni.database.migrations import execute_sql

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Make a partition of each day, which is dropped whole, and tables of what was claimed."""
    _part_by_day()
    execute_sql("""
        CREATE TABLE analytics.token (
            token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
            month date NOT NULL CHECK (month = date_trunc('month', month)),
            with_exposure_first boolean NOT NULL DEFAULT false,
            with_exposure_next boolean NOT NULL DEFAULT false,
            without_exposure_first boolean NOT NULL DEFAULT false,
            without_exposure_next boolean NOT NULL DEFAULT false
        );
        COMMENT ON TABLE analytics.token IS
            'analytics tokens that are authorised: SHA-256 of each, the month of its authorisation,'
            ' and which reports it has vouched for, in that month and in the next';

        CREATE TABLE analytics.salt (
            salt bytea PRIMARY KEY CHECK (length(salt) = 16),
            received_on date NOT NULL
        );
        COMMENT ON TABLE analytics.salt IS
            'salts of attestations that have vouched for a report; none does so twice';
        CREATE INDEX salt_received_on ON analytics.salt (received_on);

        GRANT SELECT, INSERT, DELETE ON analytics.token, analytics.salt TO immuni_analytics;
        GRANT UPDATE (with_exposure_first, with_exposure_next,
                      without_exposure_first, without_exposure_next)
            ON analytics.token TO immuni_analytics;
    """)


def _part_by_day() -> None:
    """Replace the two tables; rows that are there go along, in no order."""
    execute_sql("""
        DROP INDEX analytics.epidemiological_info_received_on;
        DROP INDEX analytics.operational_info_received_on;
        ALTER TABLE analytics.epidemiological_info RENAME TO former_epidemiological_info;
        ALTER TABLE analytics.operational_info RENAME TO former_operational_info;

        CREATE TABLE analytics.epidemiological_info
            (LIKE analytics.former_epidemiological_info INCLUDING CONSTRAINTS)
            PARTITION BY LIST (received_on);
        CREATE TABLE analytics.operational_info
            (LIKE analytics.former_operational_info INCLUDING CONSTRAINTS)
            PARTITION BY LIST (received_on);
        GRANT SELECT, INSERT, DELETE
            ON analytics.epidemiological_info, analytics.operational_info TO immuni_analytics;

        -- Only an owner makes and drops tables. So the service's login may ask for these two things
        -- and nothing else. The locks that they take hold up no insert for longer than a second.
        CREATE FUNCTION analytics.open_day(day date) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET lock_timeout = '1s' AS $$
        DECLARE
            parent text;
            part text;
        BEGIN
            FOREACH parent IN ARRAY ARRAY['epidemiological_info', 'operational_info'] LOOP
                part := parent || pg_catalog.to_char(day, '_YYYYMMDD');
                CONTINUE WHEN pg_catalog.to_regclass('analytics.' || part) IS NOT NULL;
                -- Two make it at once: the second waits, and finds it.
                PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('analytics.open_day'));
                IF pg_catalog.to_regclass('analytics.' || part) IS NULL THEN
                    EXECUTE pg_catalog.format(
                        'CREATE TABLE analytics.%I (LIKE analytics.%I INCLUDING CONSTRAINTS)',
                        part, parent);
                    EXECUTE pg_catalog.format(
                        'ALTER TABLE analytics.%I ATTACH PARTITION analytics.%I FOR VALUES IN (%L)',
                        parent, part, day);
                END IF;
            END LOOP;
        END $$;
        COMMENT ON FUNCTION analytics.open_day IS 'makes the partitions of a day, where missing';

        CREATE FUNCTION analytics.drop_oldest_day(before date) RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET lock_timeout = '1s' AS $$
        DECLARE
            part text;
            rows bigint;
        BEGIN
            SELECT c.relname INTO part
            FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent IN ('analytics.epidemiological_info'::pg_catalog.regclass,
                                  'analytics.operational_info'::pg_catalog.regclass)
              AND pg_catalog.to_date(pg_catalog.right(c.relname, 8), 'YYYYMMDD') < before
            ORDER BY pg_catalog.right(c.relname, 8) LIMIT 1;
            IF part IS NULL THEN
                RETURN NULL;
            END IF;
            EXECUTE pg_catalog.format('SELECT count(*) FROM analytics.%I', part) INTO rows;
            EXECUTE pg_catalog.format('DROP TABLE analytics.%I', part);
            RETURN rows;
        END $$;
        COMMENT ON FUNCTION analytics.drop_oldest_day IS
            'drops the oldest partition of a day before this one and returns its number of rows;'
            ' null where there is none';

        REVOKE EXECUTE ON FUNCTION analytics.open_day, analytics.drop_oldest_day FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION analytics.open_day, analytics.drop_oldest_day
            TO immuni_analytics;

        SELECT analytics.open_day(received_on) FROM (
            SELECT received_on FROM analytics.former_epidemiological_info
            UNION SELECT received_on FROM analytics.former_operational_info
        ) AS days;
        INSERT INTO analytics.epidemiological_info
            SELECT * FROM analytics.former_epidemiological_info ORDER BY gen_random_uuid();
        INSERT INTO analytics.operational_info
            SELECT * FROM analytics.former_operational_info ORDER BY gen_random_uuid();
        DROP TABLE analytics.former_epidemiological_info, analytics.former_operational_info;
    """)
