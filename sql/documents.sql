Looking at documents.

-- name: counts
select kind, count(*)
from booking_engine.document
where body is not null
group by kind
order by kind
