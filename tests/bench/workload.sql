-- The flows by which staff, OTAs and guests change a PMS, as functions, so that a load generator with next to no
-- CPU of its own can perform them: bench.flow() is one transaction of the mix, drawn at random. Each flow takes
-- its reservation with SKIP LOCKED, so that no two connections wait for, or break, each other's.
create schema bench;

-- Any reservation in one of these states, of any hotel, that this transaction may change.
create function bench.reservation(states text[] default '{hold,provisory,confirmed,checked_in}')
returns reservations language sql volatile as $fn$
    select r.* from reservations r
    where r.hotel_id = (select id from hotels order by random() limit 1) and r.id >= (select gen_random_uuid())
        and r.status = any(states) and r.check_out >= current_date - 20
    order by r.id limit 1
    for no key update skip locked
$fn$;

-- A room that is free on all these nights, looked for without a lock, as the PMS's application does.
create function bench.free_room(hotel int, first date, nights int) returns int language sql volatile as $fn$
    select r.id from rooms r
    where r.hotel_id = hotel and r.for_sale and not r.is_staff_room and not exists (
        select from reservation_details d
        where d.hotel_id = hotel and d.room_id = r.id and d.date >= first and d.date < first + nights
            and d.cancelled is null)
    order by random() limit 1
$fn$;

create function bench.arrival() returns date language sql volatile as $fn$
    select current_date + least(320, (-40 * ln(1 - random()))::int)
$fn$;

create function bench.length() returns int language sql volatile as $fn$
    select ('{1,1,1,2,2,3,4,7}'::int[])[1 + floor(random() * 8)]
$fn$;

create function bench.insert_nights(hotel int, reservation uuid, room int, first date, nights int, sold boolean)
returns void language sql volatile as $fn$
    with night as (
        insert into reservation_details (hotel_id, reservation_id, date, room_id, plans_global_id, plan_name,
            plan_type, number_of_people, price, billable, created_by, updated_by)
        select hotel, reservation, first + n, room, case when sold then 1 end, case when sold then '素泊まり' end,
            'per_room', 1 + floor(random() * 2), case when sold then 8000 + 100 * floor(random() * 60) else 0 end,
            sold, 1, 1
        from generate_series(0, nights - 1) n
        returning hotel_id, id, price
    ),
    guest as (
        insert into reservation_clients (hotel_id, reservation_details_id, client_id, created_by, updated_by)
        select n.hotel_id, n.id, r.reservation_client_id, 1, 1
        from night n join reservations r on r.hotel_id = hotel and r.id = reservation where sold
    )
    insert into reservation_rates (hotel_id, reservation_details_id, adjustment_type, adjustment_value,
        tax_type_id, tax_rate, price, created_by, updated_by)
    select hotel_id, id, 'base_rate', price, 3, 0.1, price, 1, 1 from night where sold
$fn$;

-- A hold of the front desk (sold: a booking of an OTA, confirmed and priced) with, mostly, a new client.
create function bench.take(sold boolean) returns void language plpgsql as $fn$
declare
    hotel int := (select id from hotels order by random() limit 1);
    first date := bench.arrival();
    nights int := bench.length();
    room int := bench.free_room(hotel, first, nights);
    booked uuid := gen_random_uuid();
    client uuid := (select id from clients where id >= (select gen_random_uuid()) and id not in
        ('11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222') order by id limit 1);
begin
    if room is null then return; end if;
    if client is null or random() < 0.7 then
        insert into clients (name, name_kana, name_kanji, email, phone, created_by, updated_by)
        values ('YAMADA', 'ヤマダ', '山田 ' || left(booked::text, 6), left(booked::text, 8) || '@example.jp',
            '090-' || left(booked::text, 4), 3, 3)
        returning id into client;
    end if;
    insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people, status,
        type, agent, ota_reservation_id, payment_timing, created_by, updated_by)
    values (booked, hotel, client, first, first + nights, 2, case when sold then 'confirmed' else 'hold' end,
        case when sold then 'ota' else 'default' end, case when sold then '楽天' end,
        case when sold then 'RY' || left(booked::text, 8) end, case when sold then 'prepaid' else 'not_set' end, 1, 1);
    perform bench.insert_nights(hotel, booked, room, first, nights, sold);
end $fn$;

-- The nights are deleted and inserted anew: another length, or the modification of an OTA.
create function bench.renew(sold boolean) returns void language plpgsql as $fn$
declare
    it reservations := bench.reservation(case when sold then '{confirmed}' else '{hold,provisory}' end::text[]);
    first date := case when random() < 0.5 then it.check_in else bench.arrival() end;
    nights int := bench.length();
    room int := bench.free_room(it.hotel_id, first, nights);
begin
    if room is null then return; end if;
    delete from reservation_details where hotel_id = it.hotel_id and reservation_id = it.id;
    update reservations set check_in = first, check_out = first + nights, updated_by = 1
    where hotel_id = it.hotel_id and id = it.id;
    perform bench.insert_nights(it.hotel_id, it.id, room, first, nights, sold);
end $fn$;

-- A plan's price comes to one night.
create function bench.price_night() returns void language plpgsql as $fn$
declare
    it reservations := bench.reservation();
    night uuid := (select id from reservation_details where hotel_id = it.hotel_id and reservation_id = it.id
        order by random() limit 1);
begin
    delete from reservation_rates where hotel_id = it.hotel_id and reservation_details_id = night;
    update reservation_details set plans_global_id = 1, plan_name = '素泊まり', updated_by = 3,
        price = 8000 + 100 * floor(random() * 60)
    where hotel_id = it.hotel_id and id = night;
    insert into reservation_rates (hotel_id, reservation_details_id, adjustment_type, adjustment_value,
        tax_type_id, tax_rate, price, created_by, updated_by)
    select hotel_id, id, 'base_rate', price, 3, 0.1, price, 1, 1
    from reservation_details where hotel_id = it.hotel_id and id = night;
end $fn$;

create function bench.set_status() returns void language plpgsql as $fn$
declare
    it reservations := bench.reservation('{hold,provisory,confirmed,checked_in,cancelled}');
    target text := ('{provisory,provisory,confirmed,confirmed,confirmed,confirmed,checked_in,checked_in,checked_out,cancelled}'
        ::text[])[1 + floor(random() * 10)];
begin
    update reservations set status = target, updated_by = 3 where hotel_id = it.hotel_id and id = it.id;
    if target = 'cancelled' then
        update reservation_details set cancelled = gen_random_uuid(), billable = false, updated_by = 3
        where hotel_id = it.hotel_id and reservation_id = it.id;
    elsif it.status <> 'cancelled' then
        update reservation_details set billable = target <> 'provisory', updated_by = 3
        where hotel_id = it.hotel_id and reservation_id = it.id and cancelled is null;
    end if;
end $fn$;

-- All nights move to another room, and to other days where the stay is still to come.
create function bench.move(days boolean) returns void language plpgsql as $fn$
declare
    it reservations := bench.reservation('{hold,provisory,confirmed}');
    first date := case when days and it.check_in >= current_date then bench.arrival() else it.check_in end;
    room int := bench.free_room(it.hotel_id, first, it.check_out - it.check_in);
begin
    if room is null
        or 1 < (select count(distinct room_id) from reservation_details
            where hotel_id = it.hotel_id and reservation_id = it.id) then
        return;
    end if;
    update reservation_details set room_id = room, date = date + (first - it.check_in), updated_by = 3
    where hotel_id = it.hotel_id and reservation_id = it.id;
    if first <> it.check_in then
        update reservations set check_in = first, check_out = first + (check_out - check_in), updated_by = 3
        where hotel_id = it.hotel_id and id = it.id;
    end if;
end $fn$;

-- The comment says when it was written, by the server's clock: what a receiver measures a latency by.
create function bench.comment() returns void language plpgsql as $fn$
declare
    it reservations := bench.reservation();
begin
    update reservations set updated_by = 3,
        comment = 'written ' || extract(epoch from clock_timestamp())::text
            || case when random() < 0.05 then repeat(' 長い備考', 500) else '' end
    where hotel_id = it.hotel_id and id = it.id;
end $fn$;

create function bench.guest_or_addon(guest boolean) returns void language plpgsql as $fn$
declare
    it reservations := bench.reservation();
    night uuid := (select id from reservation_details where hotel_id = it.hotel_id and reservation_id = it.id
        order by random() limit 1);
begin
    if night is null then return; end if;
    if guest and random() < 0.5 then
        insert into reservation_clients (hotel_id, reservation_details_id, client_id, created_by, updated_by)
        values (it.hotel_id, night, it.reservation_client_id, 3, 3);
    elsif guest then
        delete from reservation_clients where hotel_id = it.hotel_id and id = (
            select id from reservation_clients
            where hotel_id = it.hotel_id and reservation_details_id = night limit 1);
    elsif random() < 0.6 then
        insert into reservation_addons (hotel_id, reservation_detail_id, addons_global_id, addon_name, addon_type,
            quantity, price, tax_type_id, tax_rate, created_by, updated_by)
        values (it.hotel_id, night, 1, '朝食バイキング', 'breakfast', 1 + floor(random() * 4), 1200, 2, 0.08, 3, 3);
    else
        delete from reservation_addons where hotel_id = it.hotel_id and reservation_detail_id = night;
    end if;
end $fn$;

create function bench.edit_client() returns void language plpgsql as $fn$
declare
    it clients;
begin
    select * into it from clients where id >= (select gen_random_uuid()) order by id limit 1 for no key update skip locked;
    update clients set phone = '080-' || left(gen_random_uuid()::text, 8), updated_by = 3 where id = it.id;
end $fn$;

create function bench.delete(states text[]) returns void language plpgsql as $fn$
declare
    it reservations := bench.reservation(states);
begin
    delete from reservations where hotel_id = it.hotel_id and id = it.id;
end $fn$;

-- A room goes out of order or comes back: every night of its hotel is counted anew.
create function bench.close_room() returns void language plpgsql as $fn$
declare
    it rooms;
begin
    select * into it from rooms where hotel_id = (select id from hotels order by random() limit 1)
    order by for_sale, random() limit 1 for no key update skip locked;
    update rooms set for_sale = not for_sale, updated_by = 3 where hotel_id = it.hotel_id and id = it.id;
end $fn$;

-- One transaction of the mix. Shares follow how often deploy.pms.simulator performs each flow, with plan and price
-- as the transactions per night that they are; closing a room is rare, as in a real house.
create function bench.flow() returns void language plpgsql as $fn$
declare
    dice float := random() * 100;
begin
    perform set_config('my_app.user_id', '3', true);
    case
        when dice < 11 then perform bench.take(false);
        when dice < 24 then perform bench.take(true);
        when dice < 44 then perform bench.price_night();
        when dice < 57 then perform bench.set_status();
        when dice < 62 then perform bench.comment();
        when dice < 68 then perform bench.renew(true);
        when dice < 72 then perform bench.renew(false);
        when dice < 78 then perform bench.move(false);
        when dice < 82 then perform bench.move(true);
        when dice < 87 then perform bench.guest_or_addon(true);
        when dice < 91 then perform bench.guest_or_addon(false);
        when dice < 94.95 then perform bench.edit_client();
        when dice < 95 then perform bench.close_room();
        when dice < 98 then perform bench.delete('{hold}');
        else perform bench.delete('{provisory,cancelled}');
    end case;
end $fn$;

-- Many transactions of the mix, as fast as one connection can.
create procedure bench.work(transactions int) language plpgsql as $fn$
begin
    for n in 1 .. transactions loop
        perform bench.flow();
        commit;
    end loop;
end $fn$;
