What a night costs under a plan, by the algorithm whose result staff bookings store. Blocks with {braces} take
another in their place.

A rate holds from date_start to date_end, on the weekdays or in the months that its condition names. Of those that
hold, rows alike in type, tax, cancel fee flag and sales category make one component, the row that a booking stores
in reservation_rates: base rates and flat fees are yen, a percentage is that share of all base rates, rounded to
0.01 yen. A night's price is the sum of its components, floored to 100 yen.

-- name: plans
-- The plans of the catalogue.
select c.hotel_id, c.id as plan_key,
    (c.body ->> 'global_plan_id')::int as global_plan_id, (c.body ->> 'hotel_plan_id')::int as hotel_plan_id,
    coalesce(c.body ->> 'plan_type', 'per_room') as plan_type, coalesce((c.body ->> 'active')::bool, true) as active,
    (c.body ->> 'available_from')::date as available_from, (c.body ->> 'available_until')::date as available_until
from (
    {catalogue}
) c
-- Else every use of a column takes the document apart anew.
offset 0

-- name: cells
-- The prices of one plan `p`. From one day on which a rate begins or ceases to the next, a price depends only on
-- month and weekday, and months (weekdays) in which the same rates may hold are alike: a row is such a period with
-- months and weekdays that are alike, as bits (January and Monday are bit 0). `starts` may be -infinity, `until` is
-- exclusive, null: open.
with rates as materialized (
    select r.id, r.adjustment_type as type, r.adjustment_value as value, r.include_in_cancel_fee as in_cancel_fee,
        r.tax_type_id, r.tax_rate, coalesce(r.sales_category, 'accommodation') as sales_category,
        case when r.tax_rate > 1 then r.tax_rate / 100 else coalesce(r.tax_rate, 0) end as tax,
        case when r.date_start > '0001-01-01' then r.date_start else '-infinity' end as starts,
        case when r.date_end < '9999-12-31' then r.date_end + 1 end as until,
        case r.condition_type when 'day_of_week' then named.weekdays else 127 end as weekdays,
        case r.condition_type when 'month' then named.months else 4095 end as months
    from plans_rates r
    cross join lateral (
        -- Anything but a list of plain strings names nothing.
        select case when r.condition_value
            ~ '^[ \t\n\r]*\[([ \t\n\r]*"[^"\\[:cntrl:]]*"[ \t\n\r]*(,[ \t\n\r]*"[^"\\[:cntrl:]]*"[ \t\n\r]*)*)?\][ \t\n\r]*$'
            then r.condition_value::jsonb end as names
    ) said
    cross join lateral (
        select coalesce(bit_or(1 << (n - 1)::int) filter (where n <= 7 and said.names ? weekday), 0) as weekdays,
            coalesce(bit_or(1 << (n - 1)::int) filter (where said.names ? month), 0) as months
        from unnest(
            array['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
            array['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october',
                'november', 'december']
        ) with ordinality as w (weekday, month, n)
    ) named
    where (
            r.plans_global_id = p.global_plan_id and r.plans_hotel_id is null
            or r.plans_hotel_id = p.hotel_plan_id and r.hotel_id = p.hotel_id)
        and r.condition_type in ('no_restriction', 'day_of_week', 'month')
        and r.date_start < '9999-12-31' and (r.date_end is null or r.date_end >= r.date_start)
        and {holding}
),
periods as (
    select day as starts, lead(day) over (order by day) as until
    from (
        select distinct unnest(array[r.starts, r.until]) as day from rates r where r.months <> 0 and r.weekdays <> 0
    ) b
    where day is not null
),
touched as materialized (
    -- Of a short period nearly all months are no nights, and there may be one for each day.
    select c.starts, c.until, c.months | (c.months >> 12) as months, c.weekdays | (c.weekdays >> 7) as weekdays
    from (
        select c.starts, c.until,
            case when long.period then 4095 else
                ((1 << (extract(year from c.until - 1)::int - extract(year from c.starts)::int) * 12
                    + extract(month from c.until - 1)::int - extract(month from c.starts)::int + 1) - 1)
                << extract(month from c.starts)::int - 1 end as months,
            {weekdays} as weekdays
        from periods c
        cross join lateral (
            select c.starts = '-infinity' or c.until is null or c.until - c.starts > 300 as period
            offset 0
        ) long
        where {within}
    ) c
),
alike_weekdays as (
    select bit_or(1 << n) as weekdays
    from (
        select n, array_agg(r.id order by r.id) filter (where r.weekdays & (1 << n) <> 0) as held
        from rates r cross join generate_series(0, 6) n
        group by n
    ) d
    group by held
),
alike_months as (
    select bit_or(1 << n) as months
    from (
        select n, array_agg(r.id order by r.id) filter (where r.months & (1 << n) <> 0) as held
        from rates r cross join generate_series(0, 11) n
        group by n
    ) d
    group by held
),
summed as (
    select c.starts, c.until, m.months, w.weekdays, r.type, r.tax_type_id, r.tax_rate, r.tax, r.in_cancel_fee,
        r.sales_category, sum(r.value) as value
    from touched c
    join alike_months m on m.months & c.months <> 0
    join alike_weekdays w on w.weekdays & c.weekdays <> 0
    join rates r on r.starts <= c.starts and (r.until is null or r.until > c.starts)
        and r.months & m.months <> 0 and r.weekdays & w.weekdays <> 0
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
),
based as (
    select s.*, coalesce(sum(s.value) filter (where s.type = 'base_rate')
        over (partition by s.starts, s.months, s.weekdays), 0) as base
    from summed s
),
components as (
    select b.*, case b.type when 'percentage' then round(b.base * b.value / 100, 2) else b.value end as amount
    from based b
),
taxed as (
    -- What flooring takes off is taken off the tax that the largest base rate bears.
    select c.starts, c.until, c.months, c.weekdays, c.base, c.tax, sum(c.amount) as share,
        sum(sum(c.amount)) over cell as total,
        row_number() over (cell order by max(c.value) filter (where c.type = 'base_rate') desc nulls last, c.tax desc)
            as place,
        sum(round(c.amount)) filter (where c.in_cancel_fee) as cancel_fee,
        (array_agg(c.tax_type_id order by c.type = 'base_rate' desc, c.value desc, c.tax_type_id))[1] as tax_type_id,
        (array_agg(c.tax_rate order by c.type = 'base_rate' desc, c.value desc, c.tax_type_id))[1] as tax_rate,
        {components} as components
    from components c
    group by 1, 2, 3, 4, 5, 6
    window cell as (partition by c.starts, c.months, c.weekdays)
),
floored as (
    select t.*, floor(t.total / 100) * 100 as price,
        t.share + case t.place when 1 then floor(t.total / 100) * 100 - t.total else 0 end as due
    from taxed t
)
select f.starts, f.until, f.months, f.weekdays, f.base, f.price::bigint as price,
    (f.price - sum(floor(f.due * f.tax / (1 + f.tax))))::bigint as net_price,
    {cancel_fee}::bigint as cancel_fee,
    max(f.tax_type_id) filter (where f.place = 1) as tax_type_id,
    max(f.tax_rate) filter (where f.place = 1) as tax_rate,
    jsonb_agg(f.components) as components
from floored f
group by f.starts, f.until, f.months, f.weekdays, f.base, f.price

-- name: cancel_fee
-- What a night costs even where it is cancelled, in the unit of its price, per room or per person: what its rates note
-- as due then, and never more than the night, which flooring may have made cheaper.
greatest(0, least({noted}, {price}))

-- name: components
jsonb_agg(jsonb_build_array(c.type, c.value, c.in_cancel_fee, c.tax_type_id, c.tax_rate, c.sales_category, round(c.amount))
    order by c.type, c.tax_type_id, c.in_cancel_fee, c.sales_category)

-- name: nightly
select p.plan_key, p.plan_type, p.active, p.available_from, p.available_until,
    nullif(c.starts, '-infinity') as starts, c.until, c.months, c.weekdays, c.base > 0 and c.price >= 0 as priced,
    c.price, c.net_price, c.cancel_fee, c.tax_type_id, c.tax_rate, c.components
from (
    {plans}
) p
cross join lateral (
    {cells}
) c

-- name: holding
r.date_start < %(until)s::date and (r.date_end is null or r.date_end >= %(first)s::date)

-- name: within
c.starts < %(until)s::date and (c.until is null or c.until > %(first)s::date)

-- name: weekdays
case when long.period or c.until - c.starts > 6 then 127 else
    ((1 << c.until - c.starts) - 1) << extract(isodow from c.starts)::int - 1 end

-- name: document
-- The documents of kind rates: what nightly says of all nights, in words that no clock changes. Months and weekdays
-- of equal price are put together; months that a period does not touch are left out.
with priced as materialized (
    select p.hotel_id, p.plan_key, p.plan_type, said.periods
    from (
        {plans}
    ) p
    cross join lateral (
        select jsonb_agg(
            jsonb_build_object('from', nullif(d.starts, '-infinity'), 'until', d.until, 'prices', d.prices)
            order by d.starts) as periods
        from (
            select m.starts, m.until, jsonb_agg(
                jsonb_build_object(
                    'price', m.price, 'net_price', m.net_price, 'cancel_fee', m.cancel_fee,
                    'months', (
                        select jsonb_agg(n order by n) from generate_series(1, 12) n
                        where m.months & (1 << (n - 1)) <> 0),
                    'weekdays', (
                        select jsonb_agg(w.name order by w.n)
                        from unnest(array['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday',
                            'sunday']) with ordinality as w (name, n)
                        where m.weekdays & (1 << (w.n - 1)::int) <> 0)
                ) order by m.price, m.net_price, m.cancel_fee, m.months, m.weekdays) as prices
            from (
                select w.starts, w.until, w.price, w.net_price, w.cancel_fee, w.weekdays, bit_or(w.months) as months
                from (
                    select c.starts, c.until, c.price, c.net_price, c.cancel_fee, c.months & touched.months as months,
                        bit_or(c.weekdays) as weekdays
                    from (
                        {cells}
                    ) c
                    cross join lateral (
                        select case
                            when c.until is null or c.starts = '-infinity' or c.until - c.starts > 365 then 4095
                            else (
                                select bit_or(1 << extract(month from day)::int - 1)
                                from generate_series(c.starts::timestamp, c.until - interval '1 day', '1 day') day)
                            end as months
                    ) touched
                    where c.base > 0 and c.price >= 0 and c.months & touched.months <> 0
                    group by 1, 2, 3, 4, 5, 6
                ) w
                group by 1, 2, 3, 4, 5, 6
            ) m
            group by m.starts, m.until
        ) d
    ) said
)
select r.hotel_id, r.plan_key as id, false as own, null::date as ends,
    jsonb_build_object(
        'hotel_id', r.hotel_id, 'plan_key', r.plan_key, 'currency', 'JPY', 'plan_type', r.plan_type,
        'periods', coalesce(r.periods, '[]')
    ) as body
from priced r

-- name: fingerprint
-- Every change of a row gives it another place or another transaction.
select count(*), coalesce(sum(hashtextextended(concat(used.source, used.place, ' ', used.writer), 0)), 0)
from (
    select 'rate' as source, r.ctid as place, r.xmin as writer
    from plans_rates r
    where r.hotel_id = %(hotel)s or r.plans_hotel_id is null
    union all
    select 'own', h.ctid, h.xmin from plans_hotel h where h.hotel_id = %(hotel)s
    union all
    select 'chain', g.ctid, g.xmin from plans_global g
    union all
    select 'without', x.ctid, x.xmin from hotel_plan_exclusions x where x.hotel_id = %(hotel)s
) used
