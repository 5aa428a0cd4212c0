Reservations as booking documents, and the rows each is computed from.

-- name: wanted
-- The keys that a query in braces is asked about.
unnest(%(hotels)s::int[], %(ids)s::text[]) as wanted (hotel_id, id)

-- name: wanted_of_one
-- Where all keys are of one hotel: what is looked up by `wanted.hotel_id` then leaves the partitions of other hotels
-- out as the query starts, and need not open them.
(select %(hotel)s::int as hotel_id, key.id from unnest(%(ids)s::text[]) as key (id)) wanted

-- name: eligible
-- Those of the wanted reservations that are bookings within the window. Each is looked up by itself: joined with all of
-- them at once, every reservation of the window was read for one.
select r.hotel_id, r.id::text as id
from {wanted}
cross join lateral (
    select found.hotel_id, found.id, found.status, found.type, found.check_out
    from reservations found
    where found.hotel_id = wanted.hotel_id and found.id = wanted.id::uuid
    limit 1
) r
where r.status <> 'block' and r.type <> 'employee' and r.check_out >= %(today)s::date - 30

-- name: held
-- The ids of the nights of a booking `link` that came to us: of those that it has been seen with, wherever staff have
-- put them since, and of those in its reservations that are no booking's yet. Its reservations are the one that it was
-- made with, and what staff split off, which carries what a split copies.
select n.night_id as id
from booking_engine.booking_night n
where link.external_id is not null and n.hotel_id = link.hotel_id and n.booking_id = link.reservation_id
union all
select d.id
from (
    select link.reservation_id as id where link.external_id is not null
    union all
    select r.id
    from (
        select distinct n.reservation_id as id
        from booking_engine.booking_night n
        where link.external_id is not null and n.hotel_id = link.hotel_id and n.booking_id = link.reservation_id
            and n.reservation_id <> link.reservation_id
    ) n
    cross join lateral (
        select found.id, found.type, found.agent, found.ota_reservation_id from reservations found
        where found.hotel_id = link.hotel_id and found.id = n.id
        limit 1
    ) r
    where r.type = 'web' and r.agent = %(agent)s and r.ota_reservation_id = link.external_id
) home
cross join lateral (
    select found.id from reservation_details found
    where found.hotel_id = link.hotel_id and found.reservation_id = home.id
    offset 0
) d
left join lateral (
    select n.night_id from booking_engine.booking_night n
    where n.hotel_id = link.hotel_id and n.night_id = d.id
    limit 1
) known on true
where known.night_id is null

-- name: parts
-- The reservations of a booking `link` that came to us, `ours.nights` being its nights: those that they stand in, and the
-- one that it was made with. Where one has nights of others, too, arrival and departure are those of ours.
select r.*,
    case when whole.it_is then r.check_in else coalesce(p.first, r.check_in) end as arrival,
    case when whole.it_is then r.check_out else coalesce(p.last + 1, r.check_out) end as departure,
    whole.it_is as whole
from (
    select stood.id, min(stood.date) as first, max(stood.date) as last
    from (
        select d.reservation_id as id, d.date
        from unnest(ours.nights) as n (id)
        cross join lateral (
            select found.reservation_id, found.date from reservation_details found
            where found.hotel_id = link.hotel_id and found.id = n.id
            limit 1
        ) d
        union all
        select link.reservation_id, null where link.external_id is not null
    ) stood
    group by stood.id
) p
cross join lateral (
    select found.hotel_id, found.id, found.type, found.agent, found.ota_reservation_id, found.reservation_client_id,
        found.check_in, found.check_in_time, found.check_out, found.check_out_time, found.payment_timing,
        found.comment, found.status, found.number_of_people
    from reservations found
    where found.hotel_id = link.hotel_id and found.id = p.id
    limit 1
) r
cross join lateral (
    select not exists (
        select from reservation_details d
        where d.hotel_id = r.hotel_id and d.reservation_id = r.id and d.id <> all(ours.nights)) as it_is
    offset 0
) whole
where r.status <> 'block' and r.type <> 'employee'

-- name: alone
-- A reservation that is a booking by itself, as `fresh` needs it. What was split off one that came to us has no document.
select r.id, r.type, r.agent, r.ota_reservation_id as external_id, r.reservation_client_id, r.check_in_time,
    r.check_out_time, r.payment_timing, r.comment, r.status, r.check_in, r.check_out, r.number_of_people,
    array[r.id] as parts
from reservations r
where link.external_id is null and r.hotel_id = wanted.hotel_id and r.id = wanted.id::uuid
    and r.status <> 'block' and r.type <> 'employee'
    and not (r.type = 'web' and r.agent = %(agent)s and exists (
        select from booking_engine.booking_link l
        where l.hotel_id = r.hotel_id and l.external_id = r.ota_reservation_id))

-- name: alone_nights
select d.hotel_id, d.id, d.reservation_id, d.date, d.room_id, d.plans_global_id, d.plans_hotel_id, d.plan_name,
    d.plan_type, d.number_of_people, d.price, d.billable, d.cancelled
from reservation_details d
where link.external_id is null and d.hotel_id = wanted.hotel_id and d.reservation_id = r.id

-- name: no_link
cross join (select null::text as external_id, array[]::uuid[] as nights) link

-- name: link
-- Of a key of `fresh`: the booking that came to us, with its nights.
left join lateral (
    select l.hotel_id, l.reservation_id, l.external_id
    from booking_engine.booking_link l
    where l.hotel_id = wanted.hotel_id and l.reservation_id = wanted.id::uuid
    limit 1
) link on true
cross join lateral (
    select coalesce(array_agg(held.id), '{{}}') as nights
    from (
        {held}
    ) held
) ours

-- name: made
-- A booking that came to us, made of all of its reservations.
select made.*
from (select where link.external_id is not null) only_then
cross join lateral (
    select p.id, p.type, p.agent, link.external_id, p.reservation_client_id, p.check_in_time,
        p.check_out_time, p.payment_timing, p.comment,
        first_value(p.status) over (order by array_position(
            array['checked_in', 'confirmed', 'provisory', 'hold', 'checked_out', 'cancelled'], p.status)),
        min(p.arrival) over (), max(p.departure) over (),
        case when p.whole and count(*) over () = 1 then p.number_of_people end,
        array_agg(p.id) over (order by p.id <> link.reservation_id, p.id
            rows between unbounded preceding and unbounded following)
    from (
        {parts}
    ) p
    order by p.id <> link.reservation_id,
        (p.type = 'web' and p.agent = %(agent)s and p.ota_reservation_id = link.external_id) is not true, p.id
    limit 1
) made

-- name: made_nights
select d.*
from unnest(ours.nights) as n (id)
cross join lateral (
    select found.hotel_id, found.id, found.reservation_id, found.date, found.room_id, found.plans_global_id,
        found.plans_hotel_id, found.plan_name, found.plan_type, found.number_of_people, found.price, found.billable,
        found.cancelled
    from reservation_details found
    where found.hotel_id = wanted.hotel_id and found.id = n.id
    limit 1
) d
where d.reservation_id = any(r.parts)

-- name: made_people
-- How many stay at most on one night: reservations of a booking that was split tell only of themselves.
(
    select coalesce(max(staying), max(everybody))
    from (
        select sum(n.number_of_people) filter (where n.cancelled is null) as staying,
            sum(n.number_of_people) as everybody
        from reservation_details n
        where r.number_of_people is null and n.hotel_id = wanted.hotel_id and n.id = any(ours.nights)
            and n.reservation_id = any(r.parts)
        group by n.date
    ) by_night
)

-- name: fresh
-- A row for every wanted key, without a body where it is no booking. A booking that came to us is made of all of its
-- reservations; one that was split off has no document. Each is looked up by itself: a join with all of them at once is
-- planned for a few and then takes the square of their number. What stands in braces is said for all keys, or for those
-- of whom it is known that they did not come to us: nearly all, for which much need not be looked up, nor even opened.
-- The body is put together as text and read once: put together as jsonb, each part is taken apart for the next.
select wanted.hotel_id, wanted.id, booking.ends, booking.own, booking.body
from {wanted}
{link}
left join lateral (
    select r.check_out as ends,
        coalesce(r.id <> wanted.id::uuid
            or r.type = 'web' and (r.agent = %(agent)s or link.external_id is not null), false) as own,
        json_build_object(
            'hotel_id', wanted.hotel_id, 'booking_id', wanted.id, 'reservations', r.parts,
            'status', r.status, 'type', r.type, 'agent', r.agent,
            'external_id', r.external_id, 'check_in', r.check_in, 'check_in_time', r.check_in_time,
            'check_out', r.check_out, 'check_out_time', r.check_out_time,
            'number_of_people', coalesce(r.number_of_people, stay.people, 0),
            'payment_timing', r.payment_timing, 'comment', r.comment,
            'guest', json_build_object(
                'client_id', c.id, 'name', coalesce(c.name_kanji, c.name_kana, c.name),
                'name_kana', c.name_kana, 'email', c.email, 'phone', c.phone),
            'total', coalesce(stay.total, 0), 'nights', coalesce(stay.nights, '[]')
        )::jsonb as body
    from (
        {reservation}
    ) r
    left join clients c on c.id = r.reservation_client_id
    cross join lateral (
        select
            round(sum(
                case when d.cancelled is null then
                    coalesce(d.price * case d.plan_type when 'per_person' then d.number_of_people else 1 end, 0)
                    + coalesce(extra.price, 0)
                else 0 end))::bigint as total,
            json_agg(json_build_object(
                'date', d.date, 'room_type_id', m.room_type_id, 'room_id', d.room_id, 'room_number', m.room_number,
                'plan_key', case when num_nonnulls(d.plans_global_id, d.plans_hotel_id) > 0
                    then concat(d.plans_global_id, 'h', d.plans_hotel_id) end,
                'plan_name', d.plan_name, 'plan_type', d.plan_type, 'number_of_people', d.number_of_people,
                'price', round(d.price)::bigint, 'billable', d.billable, 'cancelled', d.cancelled is not null,
                'contested', (r.type = 'web' or link.external_id is not null) and d.cancelled is null and exists (
                    select from booking_engine.conflict x
                    where x.hotel_id = d.hotel_id and x.reservation_id = wanted.id::uuid
                        and x.room_id = d.room_id and x.date = d.date),
                'guests', coalesce(guest.list, '[]'), 'addons', coalesce(extra.list, '[]')
            ) order by d.date, d.room_id nulls last, d.id) as nights,
            {people} as people
        from (
            {nights}
        ) d
        left join lateral (
            select found.room_type_id, found.room_number from rooms found
            where found.hotel_id = wanted.hotel_id and found.id = d.room_id
            limit 1
        ) m on true
        left join lateral (
            select json_agg(json_build_object('client_id', g.client_id, 'name', g.name)
                order by g.name collate "C", g.client_id) as list
            from (
                select rc.client_id, coalesce(gc.name_kanji, gc.name_kana, gc.name) as name
                from reservation_clients rc
                join clients gc on gc.id = rc.client_id
                where rc.hotel_id = wanted.hotel_id and rc.reservation_details_id = d.id
            ) g
        ) guest on true
        left join lateral (
            select sum(a.price * a.quantity) as price,
                json_agg(json_build_object('name', a.addon_name, 'type', a.addon_type,
                    'quantity', a.quantity, 'price', round(a.price)::bigint)
                    order by a.addon_name collate "C", a.addon_type collate "C", a.quantity, a.price) as list
            from reservation_addons a
            where a.hotel_id = wanted.hotel_id and a.reservation_detail_id = d.id
        ) extra on true
    ) stay
) booking on true

-- name: positions
-- What each wanted reservation is computed from: the ids of its nights, guests and add-ons, its clients, its dates.
-- Blocks and employee stays occupy rooms but are no bookings: only their nights count.
-- A row for every wanted reservation, without refs where it is gone. Each is looked up by itself, here and in `digests`:
-- joined with all at once, every reservation and every client there is may be read for a few.
select wanted.hotel_id, wanted.id::uuid as reservation_id, coalesce(stay.nights, '{{}}') as nights,
    shown.clients,
    case when r.type = 'web' and r.agent = %(agent)s then r.ota_reservation_id end as external_id,
    case when r.id is not null then coalesce(stay.dates, '{{}}') end as dates,
    case when r.id is not null
        then coalesce(stay.nights, '{{}}') || coalesce(shown.clients || shown.children, '{{}}') end as refs
from {wanted}
left join lateral (
    select found.id, found.status, found.type, found.agent, found.ota_reservation_id, found.reservation_client_id
    from reservations found
    where found.hotel_id = wanted.hotel_id and found.id = wanted.id::uuid
    limit 1
) r on true
cross join lateral (
    select array_agg(d.id order by d.id) as nights, array_agg(distinct d.date) as dates
    from reservation_details d
    where d.hotel_id = wanted.hotel_id and d.reservation_id = r.id
) stay
left join lateral (
    select coalesce(array_agg(child.id order by child.id), '{{}}') as children,
        array[r.reservation_client_id]
            || coalesce(array_agg(distinct child.client_id) filter (where child.client_id is not null), '{{}}')
            as clients
    from unnest(stay.nights) as night (id)
    cross join lateral (
        select rc.id, rc.client_id from reservation_clients rc
        where rc.hotel_id = wanted.hotel_id and rc.reservation_details_id = night.id
        union all
        select ra.id, null from reservation_addons ra
        where ra.hotel_id = wanted.hotel_id and ra.reservation_detail_id = night.id
    ) child
) shown on r.status <> 'block' and r.type <> 'employee'

-- name: digests
-- The digest of what documents show of a client; `daemon.routes` computes the same from the change stream.
select c.id as client_id, md5(concat_ws(E'\x1f',
    coalesce(c.name, E'\x1e'), coalesce(c.name_kana, E'\x1e'), coalesce(c.name_kanji, E'\x1e'),
    coalesce(c.email, E'\x1e'), coalesce(c.phone, E'\x1e'))) as digest
from shown
cross join lateral (
    select found.id, found.name, found.name_kana, found.name_kanji, found.email, found.phone from clients found
    where found.id = shown.client_id
    limit 1
) c

-- name: in_rooms
-- The reservations within the window that stay in these rooms: their documents show the room's number and type.
select distinct r.hotel_id, r.id::text
from unnest(%(hotels)s::int[], %(ids)s::int[]) as wanted (hotel_id, id)
join reservation_details d on d.hotel_id = wanted.hotel_id and d.room_id = wanted.id
join reservations r on r.hotel_id = d.hotel_id and r.id = d.reservation_id
where r.check_out >= %(today)s::date - 30

-- name: page
-- The next reservations of a hotel after the cursor, in id order.
select r.id::text as id
from reservations r
where r.hotel_id = %(hotel)s and r.check_out >= %(today)s::date - 30
    and (%(cursor)s::uuid is null or r.id > %(cursor)s::uuid)
order by r.id
limit %(limit)s

-- name: count
select count(*) from reservations r where r.hotel_id = %(hotel)s and r.check_out >= %(today)s::date - 30
