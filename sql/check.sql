What `roomwire check` asks the server. Everything here an ordinary role may ask; what it may not see comes as NULL.

-- name: server
select current_setting('server_version_num')::int as version, current_setting('wal_level') as wal_level,
    pg_is_in_recovery() as in_recovery, current_database()::text as database, current_user::text as role,
    (select rolreplication or rolsuper from pg_roles where rolname = current_user)
        or exists (select from pg_roles where rolname = 'rds_replication' and pg_has_role(oid, 'member'))
        as may_replicate

-- name: schema
-- usable: this role may do there what an owner may.
select current_user::text as role, n.oid is not null as present, pg_get_userbyid(n.nspowner)::text as owner,
    coalesce(pg_has_role(n.nspowner, 'usage'), false) as owned,
    has_schema_privilege('public', 'usage') as sees_public
from (select to_regnamespace('booking_engine') as oid) found
left join pg_namespace n on n.oid = found.oid

-- name: tables
select wanted.name, c.oid is not null as present,
    coalesce(array_agg(a.attname::text) filter (where a.attname is not null), '{}') as columns,
    coalesce(array_agg(a.attname::text) filter (where not has_column_privilege(c.oid, a.attnum, 'select')), '{}')
        as hidden
from unnest(%(tables)s::text[]) as wanted (name)
left join pg_class c
    on c.relname = wanted.name and c.relkind in ('r', 'p') and c.relnamespace = to_regnamespace(%(schema)s)
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
group by wanted.name, c.oid

-- name: identities
-- What the log tells of a row that is gone, of every wanted table and partition. Those alike make one row.
select root, told, count(*) as relations, min(relation) as example
from (
    select coalesce(pg_partition_root(c.oid), c.oid)::regclass::text as root, c.oid::regclass::text as relation,
        array(
            select a.attname::text from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                and (c.relreplident = 'f' or a.attnum = any(i.indkey))
            order by a.attname
        ) as told
    from pg_class c
    left join pg_index i on i.indrelid = c.oid
        and case c.relreplident when 'd' then i.indisprimary when 'i' then i.indisreplident else false end
    where c.relkind in ('r', 'p')
        and coalesce(pg_partition_root(c.oid), c.oid) = any(
            select to_regclass(format('%%I.%%I', %(schema)s::text, name)) from unnest(%(tables)s::text[]) name)
) each_relation
group by root, told

-- name: room
-- Sizes in bytes, times in seconds. A limit of log that is not set is null.
select (select count(*) from pg_replication_slots) as slots_used,
    current_setting('max_replication_slots')::int as slots,
    (select count(*) from pg_stat_replication) as senders_used, current_setting('max_wal_senders')::int as senders,
    (select nullif(setting::bigint, -1) * 1048576 from pg_settings where name = 'max_slot_wal_keep_size')
        as keep_size,
    pg_size_bytes(current_setting('max_wal_size')) as max_wal_size,
    nullif(extract(epoch from current_setting('idle_replication_slot_timeout', true)::interval), 0)::float8
        as idle_timeout,
    -- Statistics that are minutes old say more of the last start than of a usual day.
    case when w.stats_reset < clock_timestamp() - interval '1 hour'
        then w.wal_bytes::float8 / extract(epoch from clock_timestamp() - w.stats_reset)::float8 end as wal_rate,
    current_setting('synchronous_standby_names') as synchronous
from pg_stat_wal w

-- name: clock
-- How far the log is written; null on a standby, which writes none.
select extract(epoch from clock_timestamp())::float8 as now,
    case when not pg_is_in_recovery() then (pg_current_wal_lsn() - '0/0')::bigint end as written,
    extract(epoch from (clock_timestamp() at time zone %(time_zone)s) - (clock_timestamp() at time zone 'UTC'))::int
        as zone_offset

-- name: transactions
-- Open for long, longest first. Of others' sessions a role without pg_read_all_stats sees no start: who holds a
-- transaction id or a snapshot without one is listed without its age.
select coalesce(pid::text, gid) as name, by, extract(epoch from clock_timestamp() - began)::float8 as age
from (
    select a.pid, null as gid, concat_ws(', ', a.usename, nullif(a.application_name, '')) as by, a.xact_start as began
    from pg_stat_activity a
    where a.pid <> pg_backend_pid() and a.usesysid is not null
        and a.pid <> all (select r.pid from pg_stat_replication r)
        and (a.xact_start is not null
            or a.state is null and (a.backend_xid is not null or a.backend_xmin is not null))
    union all
    select null, p.gid, concat_ws(', ', p.owner, 'prepared'), p.prepared from pg_prepared_xacts p
) open
where began is null or began < clock_timestamp() - make_interval(secs => %(seconds)s)
order by began nulls last

-- name: closed_tables
-- Of a schema that one may not use, every table.
select c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'booking_engine' and c.relkind in ('r', 'p') and not c.relispartition
    and not (has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'))
order by c.relname

-- name: withheld
-- What this session's role lacks of the wanted privileges, on tables that there are. A privilege on one column will do.
select format('%%s on %%s', w.privilege, w.name)
from unnest(%(tables)s::text[], %(privileges)s::text[]) as w (name, privilege)
join pg_class c on c.oid = to_regclass(format('%%I.%%I', %(schema)s::text, w.name))
where not case w.privilege when 'delete' then has_table_privilege(c.oid, 'delete')
    else has_any_column_privilege(c.oid, w.privilege) end
order by w.name, w.privilege

-- name: user_exists
select exists (select from users where id = %(user)s)
