Guests as the PMS's clients. It has no unique key for a person, so one is found again only where all that is known of
him agrees.

-- name: find
-- The client whose name and every given way to reach him are these. Looked up by email or else by phone, each of which
-- has an index; the oldest of several.
select c.id
from clients c
where (c.email = %(email)s::text or %(email)s::text is null)
    and (c.phone = %(phone)s::text or %(phone)s::text is null)
    and num_nonnulls(%(email)s::text, %(phone)s::text) > 0
    and %(name)s in (c.name, c.name_kanji, c.name_kana)
    and (%(name_kana)s::text is null or c.name_kana = %(name_kana)s)
    and c.id <> all (array[%(block)s, %(hold)s]::uuid[])
order by c.created_at nulls last, c.id
limit 1

-- name: exists
select exists (select from clients c where c.id = %(id)s)

-- name: insert
insert into clients (id, name, name_kana, name_kanji, legal_or_natural_person, email, phone, created_by, updated_by)
values (%(id)s, %(name)s, %(name_kana)s, %(name_kanji)s, 'natural', %(email)s, %(phone)s, %(user)s, %(user)s)
