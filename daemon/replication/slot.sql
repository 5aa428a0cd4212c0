Replication slots, publications and what they need. Every statement works on a replication connection, too.

-- name: slot
SELECT coalesce(slot.database = current_database(), false) AS here, slot.plugin, slot.active_pid,
       (slot.confirmed_flush_lsn - '0/0'::pg_lsn)::bigint AS confirmed_flush_lsn,
       (slot.restart_lsn - '0/0'::pg_lsn)::bigint AS restart_lsn,
       slot.wal_status, to_jsonb(slot) ->> 'invalidation_reason' AS invalidation_reason, slot.safe_wal_size,
       coalesce((to_jsonb(slot) ->> 'failover')::boolean, false) AS failover
  FROM pg_replication_slots AS slot
 WHERE slot.slot_name = %(slot)s

-- name: server
SELECT current_setting('server_version_num')::int AS version,
       current_setting('wal_level') AS wal_level,
       current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS standby,
       (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)
       OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication' AND pg_has_role(oid, 'member')) AS may_replicate

-- name: sender_timeout
SELECT setting::int / 1000.0 AS seconds FROM pg_settings WHERE name = 'wal_sender_timeout'

-- name: publication
SELECT pubviaroot AS via_root,
       array_remove(ARRAY[CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END,
                          CASE WHEN pubdelete THEN 'delete' END, CASE WHEN pubtruncate THEN 'truncate' END],
                    NULL) AS operations
  FROM pg_publication
 WHERE pubname = %(publication)s

-- name: published
SELECT relation.relname::text AS name, published.tablename IS NOT NULL AS published,
       published.rowfilter IS NOT NULL AS filtered,
       ARRAY(SELECT attname::text
               FROM pg_attribute
              WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                AND attname <> ALL (published.attnames)) AS left_out
  FROM pg_class AS relation
  JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace AND schema.nspname = %(schema)s
  LEFT JOIN pg_publication_tables AS published
         ON published.pubname = %(publication)s
        AND published.schemaname = schema.nspname AND published.tablename = relation.relname
 WHERE relation.relkind IN ('r', 'p') AND relation.relname = ANY (%(tables)s)
 ORDER BY relation.relname

-- name: without_identity
SELECT format('%%I.%%I', published.schemaname, published.tablename) AS name
  FROM pg_publication_tables AS published
  JOIN pg_publication AS publication USING (pubname)
  JOIN pg_namespace AS schema ON schema.nspname = published.schemaname
  JOIN pg_class AS relation ON relation.relnamespace = schema.oid AND relation.relname = published.tablename
 WHERE pubname = %(publication)s AND (publication.pubupdate OR publication.pubdelete)
   AND (relation.relreplident = 'n'
        OR relation.relreplident = 'd'
           AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = relation.oid AND indisprimary))
 ORDER BY name

-- name: limit_time
SET statement_timeout = '1s'

-- name: unlimit_time
RESET statement_timeout

-- name: probe
SELECT pg_create_logical_replication_slot('roomwire_probe_' || pg_backend_pid(), %(plugin)s, true)

-- name: drop_probe
SELECT pg_drop_replication_slot('roomwire_probe_' || pg_backend_pid())

-- name: create
SELECT (lsn - '0/0'::pg_lsn)::bigint AS lsn FROM pg_create_logical_replication_slot(%(slot)s, %(plugin)s)

-- name: create_failover
SELECT (lsn - '0/0'::pg_lsn)::bigint AS lsn
  FROM pg_create_logical_replication_slot(%(slot)s, %(plugin)s, false, false, true)

-- name: drop
SELECT pg_drop_replication_slot(%(slot)s)
