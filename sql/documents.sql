Looking at documents.

-- name: counts
select kind, count(*)
from booking_engine.document
where body is not null
group by kind
order by kind

-- name: one
select version, body, committed_at
from booking_engine.document
where kind = %(kind)s and hotel_id = %(hotel)s and id = %(id)s and version > 0
