Guests as the PMS's clients. It has no unique key for a person, so one is found again only where all that is known of
him agrees. Blocks with {braces} take another in their place.

-- name: find_or_create
-- The client whose name and every given way to reach him are these, the oldest of several; else a new one. Looked up by
-- email, or else by phone, each of which has an index: one condition for both would read every client.
with known as (
    select c.id, c.created_at
    from clients c
    where c.email = %(email)s::text and (%(phone)s::text is null or c.phone = %(phone)s::text) and {same}
    union all
    select c.id, c.created_at
    from clients c
    where %(email)s::text is null and c.phone = %(phone)s::text and {same}
),
found as (
    select k.id from known k order by k.created_at nulls last, k.id limit 1
),
made as (
    {insert} where not exists (select from found)
    returning id
)
select id from found
union all
select id from made

-- name: same
%(name)s::text in (c.name, c.name_kanji, c.name_kana)
and (%(name_kana)s::text is null or c.name_kana = %(name_kana)s::text)
and c.id <> all (array[%(block)s, %(hold)s]::uuid[])

-- name: exists
select exists (select from clients c where c.id = %(id)s)

-- name: insert
insert into clients (id, name, name_kana, name_kanji, legal_or_natural_person, email, phone, created_by, updated_by)
select %(id)s, %(name)s::text, %(name_kana)s::text, %(name_kanji)s::text, 'natural', %(email)s::text, %(phone)s::text,
    %(user)s, %(user)s
