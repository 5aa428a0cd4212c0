Clients of the PMS, as a booking engine may know them.

-- name: find
select coalesce(name_kanji, name_kana, name) as name, name_kana, email, phone
from clients
where id = %(client)s
