Guests as the PMS's clients. It has no unique key for a person, so one is found again only where all that is known of
him agrees. Blocks with {braces} take another in their place.

-- name: find_or_create
-- The client whose name and every given way to reach him are these, the oldest of several; else a new one, unless he
-- has no name. Looked up by email, or else by phone, each of which has an index: one condition for both would read every
-- client.
with reached as materialized (
    select c.id, c.name, c.name_kanji, c.name_kana, c.created_at
    from clients c
    where c.email = %(email)s::text and (%(phone)s::text is null or c.phone = %(phone)s::text)
    union all
    select c.id, c.name, c.name_kanji, c.name_kana, c.created_at
    from clients c
    where %(email)s::text is null and c.phone = %(phone)s::text
),
found as (
    select c.id from reached c where {same} order by c.created_at nulls last, c.id limit 1
),
made as (
    {insert} where not exists (select from found) and %(name)s::text <> ''
    returning id
)
select id from found
union all
select id from made

-- name: alone
-- Whoever looks for a guest whom he may have to make lets nobody else do so meanwhile. In a statement before, so that
-- the next one sees whom the other has made. Nothing where there is no contact: he is never found again.
pg_advisory_xact_lock(hashtextextended(%(contact)s::text, 59))

-- name: same
%(name)s::text in (c.name, c.name_kanji, c.name_kana)
and (%(name_kana)s::text is null or c.name_kana = %(name_kana)s::text)
and {known}

-- name: known
-- Whether a client `c` is the caller's to know. The PMS's fixed clients are nobody's.
c.id <> all (array[%(block)s, %(hold)s]::uuid[])
and case
    when %(only)s::uuid[] is not null then c.id = any(%(only)s::uuid[])
    else %(hotels)s::int[] is null
        or exists (
            select from booking_engine.engine_user u where u.source = %(source)s and u.client_id = c.id)
        or exists (
            select from reservations r where r.reservation_client_id = c.id and r.hotel_id = any(%(hotels)s::int[]))
        or exists (
            select from reservation_clients g where g.client_id = c.id and g.hotel_id = any(%(hotels)s::int[]))
end

-- name: exists
select exists (select from clients c where c.id = %(id)s)

-- name: insert
insert into clients (id, name, name_kana, name_kanji, legal_or_natural_person, email, phone, created_by, updated_by)
select %(id)s, %(name)s::text, %(name_kana)s::text, %(name_kanji)s::text, 'natural', %(email)s::text, %(phone)s::text,
    %(user)s, %(user)s
