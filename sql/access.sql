API keys, users, and the audit log.

-- name: key
select client, digest, scopes, hotels, addresses::text[], requests_per_minute, expires_at, revoked_at
from booking_engine.api_keys
where id = %(id)s

-- name: add_key
insert into booking_engine.api_keys
    (id, client, digest, scopes, hotels, addresses, requests_per_minute, expires_at)
values (%(id)s, %(client)s, %(digest)s, %(scopes)s, %(hotels)s, %(addresses)s::text[]::cidr[],
    %(requests_per_minute)s, %(expires_at)s)

-- name: keys
select id, client, scopes, hotels, addresses::text[], requests_per_minute, created_at, expires_at, last_used_at,
    revoked_at
from booking_engine.api_keys
order by client, created_at, id

-- name: rotate_key
-- The new key is what the old one was; the old one works a while longer.
with old as (
    update booking_engine.api_keys
    set expires_at = least(expires_at, clock_timestamp() + %(overlap)s)
    where id = %(old)s and revoked_at is null and coalesce(expires_at > clock_timestamp(), true)
    returning client, scopes, hotels, addresses, requests_per_minute, expires_at
)
insert into booking_engine.api_keys
    (id, client, digest, scopes, hotels, addresses, requests_per_minute, expires_at)
select %(id)s, client, %(digest)s, scopes, hotels, addresses, requests_per_minute, %(new_expires_at)s
from old
returning (select expires_at from old)

-- name: revoke_key
update booking_engine.api_keys
set revoked_at = coalesce(revoked_at, clock_timestamp())
where id = %(id)s
returning id

-- name: used_keys
update booking_engine.api_keys k
set last_used_at = greatest(k.last_used_at, u.at)
from unnest(%(ids)s::text[], %(at)s::timestamptz[]) as u (id, at)
where k.id = u.id

-- name: user
select client_id, linked_at
from booking_engine.engine_user
where source = %(source)s and user_id = %(user)s

-- name: link_user
insert into booking_engine.engine_user (source, user_id, client_id)
values (%(source)s, %(user)s, %(client)s)
on conflict (source, user_id) do update set client_id = excluded.client_id, linked_at = case
    when engine_user.client_id = excluded.client_id then engine_user.linked_at else clock_timestamp() end
returning client_id, linked_at

-- name: audit
insert into booking_engine.audit_log
    (at, request_id, source, key_id, user_id, address, method, path, hotel_id, status, code, took_ms)
select at, request_id, source, key_id, user_id, address::inet, method, path, hotel_id, status, code, took_ms
from unnest(%(at)s::timestamptz[], %(request_id)s::text[], %(source)s::text[], %(key_id)s::text[],
    %(user_id)s::text[], %(address)s::text[], %(method)s::text[], %(path)s::text[], %(hotel_id)s::int[],
    %(status)s::int[], %(code)s::text[], %(took_ms)s::int[])
    as a (at, request_id, source, key_id, user_id, address, method, path, hotel_id, status, code, took_ms)

-- name: forget_audit
-- A page of what is older than it has to be kept.
delete from booking_engine.audit_log
where id in (
    select id from booking_engine.audit_log
    where at < clock_timestamp() - %(days)s * interval '1 day'
    order by at limit %(size)s)
