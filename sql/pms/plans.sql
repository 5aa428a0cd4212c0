Plans as a stay is sold under them.

-- name: terms
select p.id as plan_key, (p.body ->> 'global_plan_id')::int as global_id, (p.body ->> 'hotel_plan_id')::int as hotel_id,
    p.body ->> 'name' as name, coalesce(p.body ->> 'plan_type', 'per_room') as plan_type
from (
    {plans}
) p
where %(keys)s::text[] is null or p.id = any(%(keys)s::text[])
