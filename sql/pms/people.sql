Clients of the PMS, as a booking engine may know them. {known}: that he may, see clients.sql.

-- name: find
select coalesce(name_kanji, name_kana, name) as name, name_kana, email, phone
from clients c
where c.id = %(client)s and {known}
