Writing reservations as the PMS's own path for bookings from outside writes them, so that staff see and edit ours like
any other and every trigger fires. Nights come as one JSON array, which costs less than a parameter for each of their
columns; blocks with {braces} take another in their place.

-- name: asked
-- Nights as they shall be.
select * from jsonb_to_recordset(%(nights)s::jsonb) as n (
    id uuid, date date, room_id int, people int, guests uuid[],
    global_plan int, hotel_plan int, plan_name text, plan_type text,
    price int, cancel_fee int, tax_type int, tax_rate numeric)

-- name: night_rows
insert into reservation_details (id, hotel_id, reservation_id, date, room_id, plans_global_id, plans_hotel_id, plan_name,
    plan_type, number_of_people, price, billable, is_accommodation, created_by, updated_by)
select n.id, %(hotel)s, %(id)s, n.date, n.room_id, n.global_plan, n.hotel_plan, n.plan_name,
    coalesce(n.plan_type, 'per_room'), n.people, coalesce(n.price, 0), %(billable)s, true, %(user)s, %(user)s
from wanted n

-- name: rate_rows
-- Base rates that come to the price, as the PMS's own path has it: what a cancellation costs, and the rest.
insert into reservation_rates (hotel_id, reservation_details_id, adjustment_type, adjustment_value,
    include_in_cancel_fee, tax_type_id, tax_rate, price, created_by, updated_by)
select %(hotel)s, n.id, 'base_rate', part.price, part.charged, n.tax_type, n.tax_rate, part.price,
    %(user)s, %(user)s
from wanted n
cross join lateral (values (n.cancel_fee, true), (n.price - n.cancel_fee, false)) as part (price, charged)
where part.price > 0

-- name: guest_rows
insert into reservation_clients (hotel_id, reservation_details_id, client_id, created_by, updated_by)
select %(hotel)s, n.id, guest.id, %(user)s, %(user)s
from wanted n
cross join lateral unnest(n.guests) as guest (id)

-- name: insert
-- A reservation with all that hangs on it; nothing without nights.
with wanted as materialized ({asked}),
head as (
    insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people, status, type,
        agent, ota_reservation_id, payment_timing, comment, created_by, updated_by)
    select %(id)s, %(hotel)s, %(client)s, %(check_in)s, %(check_out)s, %(people)s, %(status)s, 'web',
        %(agent)s, %(external_id)s, %(payment_timing)s, %(comment)s, %(user)s, %(user)s
    where exists (select from wanted)
),
nights as ({night_rows}),
rates as ({rate_rows})
{guest_rows}

-- name: insert_nights
with wanted as materialized ({asked}),
nights as ({night_rows}),
rates as ({rate_rows})
{guest_rows}

-- name: insert_rates
with wanted as ({asked})
{rate_rows}

-- name: insert_guests
with wanted as ({asked})
{guest_rows}
