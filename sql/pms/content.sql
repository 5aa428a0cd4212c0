What a hotel is and offers: documents of kinds hotel, room_type and plan, and the availability keys.
Each block gives (hotel_id, id, body, own, ends) for every hotel in %(hotels)s.

-- name: hotel
select h.id as hotel_id, '' as id, false as own, null::date as ends,
    jsonb_build_object(
        'hotel_id', h.id, 'name', h.name, 'formal_name', h.formal_name, 'facility_type', h.facility_type,
        'open_date', h.open_date, 'total_rooms', h.total_rooms, 'postal_code', h.postal_code,
        'address', h.address, 'email', h.email, 'phone_number', h.phone_number,
        'latitude', h.latitude, 'longitude', h.longitude, 'created_at', h.created_at
    ) as body
from hotels h
where h.id = any(%(hotels)s::int[])

-- name: room_type
select t.hotel_id, t.id::text as id, false as own, null::date as ends,
    jsonb_build_object(
        'hotel_id', t.hotel_id, 'room_type_id', t.id, 'name', t.name, 'description', t.description,
        'rooms', count(r.id), 'capacity', max(r.capacity), 'created_at', t.created_at
    ) as body
from room_types t
left join rooms r on r.hotel_id = t.hotel_id and r.room_type_id = t.id and r.for_sale and not r.is_staff_room
where t.hotel_id = any(%(hotels)s::int[])
group by t.hotel_id, t.id, t.name, t.description, t.created_at

-- name: availability
select t.hotel_id, t.id::text as id, false as own, null::date as ends, '{}'::jsonb as body
from room_types t
where t.hotel_id = any(%(hotels)s::int[])

-- name: plan
select p.hotel_id, p.plan_key as id, false as own, null::date as ends,
    jsonb_build_object(
        'hotel_id', p.hotel_id, 'plan_key', p.plan_key,
        'global_plan_id', p.global_plan_id, 'hotel_plan_id', p.hotel_plan_id,
        'name', p.name, 'description', p.description, 'plan_type', p.plan_type, 'color', p.color,
        'active', p.active, 'available_from', p.available_from, 'available_until', p.available_until,
        'display_order', p.display_order
    ) as body
from (
    select h.hotel_id, concat(h.plans_global_id, 'h', h.id) as plan_key,
        h.plans_global_id as global_plan_id, h.id as hotel_plan_id,
        coalesce(h.name, g.name) as name, coalesce(h.description, g.description) as description,
        coalesce(h.plan_type, g.plan_type) as plan_type, coalesce(h.color, g.color) as color,
        h.is_active as active, h.available_from, h.available_until, h.display_order
    from plans_hotel h
    left join plans_global g on g.id = h.plans_global_id
    where h.hotel_id = any(%(hotels)s::int[])
    union all
    select h.id, concat(g.id, 'h'), g.id, null, g.name, g.description, g.plan_type, g.color,
        true, null, null, null
    from hotels h
    cross join plans_global g
    where h.id = any(%(hotels)s::int[])
        and not exists (
            select from hotel_plan_exclusions x where x.hotel_id = h.id and x.global_plan_id = g.id)
        and not exists (
            select from plans_hotel o where o.hotel_id = h.id and o.plans_global_id = g.id)
) p
