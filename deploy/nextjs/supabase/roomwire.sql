-- What Roomwire says, kept by version. Run once in Supabase's SQL editor, or as a migration. Needs PostgreSQL 15.

create table roomwire_document (
    kind text not null check (kind in ('hotel', 'room_type', 'plan', 'rates', 'booking')),
    hotel_id int not null,
    id text not null,
    version bigint not null,
    body jsonb,
    primary key (kind, hotel_id, id)
);
comment on table roomwire_document is
    'The newest word on each thing, as data of its message says it. body null: deleted; the version stays, so that an older message cannot revive it. id is empty for hotels.';

create table roomwire_night (
    hotel_id int not null,
    room_type_id int not null,
    date date not null,
    version bigint not null,
    sellable int not null,
    occupied int not null,
    available int not null,
    primary key (hotel_id, room_type_id, date)
);
comment on table roomwire_night is 'The newest word on each night of a room type; date is the hotel''s local day.';

create table roomwire_message (
    webhook_id text primary key,
    kept_at timestamptz not null default now()
);
create index on roomwire_message (kept_at);
comment on table roomwire_message is
    'Messages of the last day: the same one again is not applied again. Empty it whenever you empty the others.';

create view roomwire_availability with (security_invoker = true) as
select night.hotel_id, night.room_type_id, night.date, night.sellable, night.occupied, night.available
from roomwire_night night
join roomwire_document room_type on room_type.kind = 'room_type' and room_type.hotel_id = night.hotel_id
    and room_type.id = night.room_type_id::text and room_type.body is not null;
comment on view roomwire_availability is 'Nights of the room types that exist.';

-- Keeps one message in one transaction; returns whether it was new. A word that is older than what is held changes
-- nothing. Rows are written in the order of their keys, so that concurrent messages cannot deadlock.
create function roomwire_keep(webhook_id text, documents jsonb, ranges jsonb, snapshot jsonb) returns boolean
language plpgsql set search_path = public as $$
begin
    insert into roomwire_message (webhook_id) values (roomwire_keep.webhook_id) on conflict do nothing;
    if not found then
        return false;
    end if;

    insert into roomwire_document as held (kind, hotel_id, id, version, body)
    select kind, hotel_id, id, version, nullif(body, 'null')
    from jsonb_to_recordset(documents) as said (kind text, hotel_id int, id text, version bigint, body jsonb)
    order by kind, hotel_id, id
    on conflict (kind, hotel_id, id) do update
        set version = excluded.version, body = excluded.body
        where excluded.version > held.version;

    insert into roomwire_night as held (hotel_id, room_type_id, date, version, sellable, occupied, available)
    select hotel_id, room_type_id, day::date, version, sellable, occupied, available
    from jsonb_to_recordset(ranges) as said (hotel_id int, room_type_id int, version bigint, first date, until date,
        sellable int, occupied int, available int)
    cross join generate_series(first, until - 1, interval '1 day') as day
    order by hotel_id, room_type_id, day
    on conflict (hotel_id, room_type_id, date) do update
        set version = excluded.version, sellable = excluded.sellable, occupied = excluded.occupied,
            available = excluded.available
        where excluded.version > held.version;

    if jsonb_typeof(snapshot) = 'object' then
        perform roomwire_close(snapshot);
    end if;
    delete from roomwire_message where kept_at < now() - interval '1 day';
    return true;
end
$$;

-- Ends a first sync: what a snapshot's hotel has with its version or an older one, and it does not list, is gone.
-- A list that is null says nothing.
create function roomwire_close(snapshot jsonb) returns void
language sql set search_path = public as $$
    update roomwire_document held
    set version = (snapshot ->> 'version')::bigint, body = null
    where held.hotel_id = (snapshot ->> 'hotel_id')::int
        and held.version <= (snapshot ->> 'version')::bigint
        and held.body is not null
        and case
            when held.kind = 'room_type' then
                jsonb_typeof(snapshot -> 'room_type_ids') = 'array'
                and not snapshot -> 'room_type_ids' @> to_jsonb(held.id::int)
            when held.kind in ('plan', 'rates') then
                jsonb_typeof(snapshot -> 'plan_keys') = 'array' and not snapshot -> 'plan_keys' ? held.id
            when held.kind = 'booking' then
                left(held.id, 1) between snapshot #>> '{bookings,first}' and snapshot #>> '{bookings,last}'
                and held.body ->> 'check_out' >= snapshot #>> '{bookings,check_out_from}'
                and not snapshot #> '{bookings,ids}' ? held.id
            else false
        end
$$;

-- Guests' data is among it: only the service role's key, which stays on the server, reads and writes.
alter table roomwire_document enable row level security;
alter table roomwire_night enable row level security;
alter table roomwire_message enable row level security;
revoke all on roomwire_document, roomwire_night, roomwire_message, roomwire_availability from anon, authenticated;
revoke all on function roomwire_keep, roomwire_close from public, anon, authenticated;
grant select, insert, update, delete on roomwire_document, roomwire_night, roomwire_message to service_role;
grant select on roomwire_availability to service_role;
grant execute on function roomwire_keep, roomwire_close to service_role;
