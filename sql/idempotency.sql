Answers that are given once and repeated.

-- name: claim
-- Also what every transaction that writes into the PMS begins with. Not mine where another transaction is at it: a
-- unique index alone would block until that one ends.
select ({act_as}) as acting, pg_try_advisory_xact_lock(hashtextextended(%(client)s || E'\x1f' || %(key)s, 47)) as mine,
    i.fingerprint, i.rights, i.status, i.headers, i.body
from (values (true)) as always
left join booking_engine.idempotency i on i.client = %(client)s and i.key = %(key)s

-- name: claim_and_add
-- The same, and what is to be booked gets its link, unless the key is another's or answered. Nobody else makes the guest
-- meanwhile.
with claimed as materialized (
    {claim}
),
added as (
    {added}
),
fared as (
    {fared}
)
select c.*, exists (select from added), case when {free} then {alone} end from claimed c

-- name: keep
insert into booking_engine.idempotency (client, key, fingerprint, rights, status, headers, body)
values (%(client)s, %(key)s, %(fingerprint)s, %(rights)s, %(status)s, %(headers)s, %(body)s)

-- name: forget
-- In small batches, oldest first; several processes share the work.
delete from booking_engine.idempotency i
using (
    select client, key from booking_engine.idempotency
    where created_at < clock_timestamp() - make_interval(days => %(days)s)
    order by created_at
    limit %(limit)s
    for update skip locked
) old
where i.client = old.client and i.key = old.key
