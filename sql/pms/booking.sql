Writing reservations as the PMS's own path for bookings from outside writes them, so that staff see and edit ours like
any other and every trigger fires.

-- name: act_as
-- The PMS's log triggers ask for the user of every transaction.
select set_config('my_app.user_id', %(user)s::text, true)

-- name: insert_reservation
insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people, status, type,
    agent, ota_reservation_id, payment_timing, comment, created_by, updated_by)
values (%(id)s, %(hotel)s, %(client)s, %(check_in)s, %(check_out)s, %(people)s, %(status)s, 'web',
    %(agent)s, %(external_id)s, %(payment_timing)s, %(comment)s, %(user)s, %(user)s)

-- name: insert_nights
insert into reservation_details (id, hotel_id, reservation_id, date, room_id, plans_global_id, plans_hotel_id, plan_name,
    plan_type, number_of_people, price, billable, is_accommodation, created_by, updated_by)
select n.id, %(hotel)s, %(reservation)s, n.date, n.room_id, n.global_plan, n.hotel_plan, n.plan_name,
    n.plan_type, n.people, n.price, %(billable)s, true, %(user)s, %(user)s
from unnest(%(ids)s::uuid[], %(dates)s::date[], %(rooms)s::int[], %(global_plans)s::int[], %(hotel_plans)s::int[],
    %(plan_names)s::text[], %(plan_types)s::text[], %(people)s::int[], %(prices)s::int[])
    as n (id, date, room_id, global_plan, hotel_plan, plan_name, plan_type, people, price)

-- name: insert_rates
-- Base rates that come to the price, as the PMS's own path has it: what a cancellation costs, and the rest.
insert into reservation_rates (hotel_id, reservation_details_id, adjustment_type, adjustment_value,
    include_in_cancel_fee, tax_type_id, tax_rate, price, created_by, updated_by)
select %(hotel)s, n.id, 'base_rate', part.price, part.charged, n.tax_type, n.tax_rate, part.price,
    %(user)s, %(user)s
from unnest(%(ids)s::uuid[], %(prices)s::int[], %(cancel_fees)s::int[], %(tax_types)s::int[],
    %(tax_rates)s::numeric[]) as n (id, price, cancel_fee, tax_type, tax_rate)
cross join lateral (values (greatest(0, least(n.cancel_fee, n.price)), true),
    (n.price - greatest(0, least(n.cancel_fee, n.price)), false)) as part (price, charged)
where part.price > 0

-- name: insert_guests
insert into reservation_clients (hotel_id, reservation_details_id, client_id, created_by, updated_by)
select %(hotel)s, n.id, n.client_id, %(user)s, %(user)s
from unnest(%(ids)s::uuid[], %(clients)s::uuid[]) as n (id, client_id)
