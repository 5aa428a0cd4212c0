-- The tables of Roomwire, in a schema of their own beside the PMS's.

-- up
create table booking_engine.checkpoint (
    slot text primary key,
    system_id text not null,
    timeline int not null,
    epoch bigint not null default 0,
    end_lsn pg_lsn not null,
    committed_at timestamptz,
    horizon date,
    updated_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);
comment on table booking_engine.checkpoint is
    'How far the change stream has been turned into documents. epoch: raised by each new leader; committed_at: commit time of the last transaction; horizon: the hotel-local day the availability horizon stands on.';

create table booking_engine.dirty_scope (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('content', 'rates', 'availability', 'booking', 'horizon')),
    hotel_id int,
    reason text not null,
    cursor text,
    done bigint not null default 0,
    total bigint,
    created_at timestamptz not null default clock_timestamp(),
    unique nulls not distinct (kind, hotel_id)
);
comment on table booking_engine.dirty_scope is
    'Work that is not in the WAL: resync, midnight, TRUNCATE. hotel_id null: every hotel. cursor: the last key done.';

create table booking_engine.reservation_seen (
    hotel_id int not null,
    reservation_id uuid not null,
    refs uuid[] not null,
    dates date[] not null,
    primary key (hotel_id, reservation_id)
);
create index reservation_seen_refs on booking_engine.reservation_seen using gin (refs) with (fastupdate = off);
comment on table booking_engine.reservation_seen is
    'What each reservation was last computed from: refs are the ids of its nights, guests, add-ons and clients; dates are its nights. Supplies the old positions that REPLICA IDENTITY DEFAULT leaves out of the WAL.';

create table booking_engine.client_seen (
    client_id uuid primary key,
    digest text not null
);
comment on table booking_engine.client_seen is
    'Digest of the name, email and phone of every client that a document shows: other updates of clients change nothing.';

create table booking_engine.document (
    kind text not null check (kind in ('hotel', 'room_type', 'plan', 'rates', 'availability', 'booking')),
    hotel_id int not null,
    id text collate "C" not null,
    version bigint not null default 0,
    born bigint not null default 0,
    body jsonb,
    own boolean not null default false,
    ends date,
    committed_at timestamptz,
    primary key (kind, hotel_id, id)
) with (fillfactor = 80);
comment on table booking_engine.document is
    'What a booking engine should know. version 0: a stub, never sent; body null: a tombstone; born: the version of its first body; ends: check-out of a booking. Availability keeps its nights in a table of its own and its counter here.';

create table booking_engine.availability (
    hotel_id int not null,
    room_type_id int not null,
    date date not null,
    sellable int not null,
    occupied int not null,
    version bigint not null,
    primary key (hotel_id, room_type_id, date)
) with (fillfactor = 70);
comment on table booking_engine.availability is
    'One row per room type and night of the horizon; version: the counter in document at the night''s last change.';

create table booking_engine.endpoint (
    id int generated always as identity primary key,
    name text not null unique,
    url text not null,
    secret text not null,
    status text not null default 'enabled' check (status in ('enabled', 'disabled')),
    reason text,
    hotels int[],
    bookings text not null default 'all' check (bookings in ('all', 'own')),
    guest_data boolean not null default false,
    max_bytes int not null default 20000,
    concurrency int not null default 8,
    heartbeat_seconds int not null default 60,
    heartbeat_at timestamptz,
    failures int not null default 0,
    retry_at timestamptz,
    last_error text,
    last_success_at timestamptz,
    fill_version bigint,
    created_at timestamptz not null default clock_timestamp()
);
comment on table booking_engine.endpoint is
    'Where messages go. hotels null: all of them; failures and retry_at: consecutive outages and the earliest next try; fill_version: the version its first sync stands on, until all of it is marked behind.';

create table booking_engine.behind (
    endpoint_id int not null references booking_engine.endpoint on delete cascade,
    kind text not null check (kind in ('hotel', 'room_type', 'plan', 'rates', 'availability', 'booking', 'snapshot')),
    hotel_id int not null,
    id text collate "C" not null,
    version bigint not null,
    acked bigint not null,
    place bigint not null,
    since timestamptz not null default clock_timestamp(),
    token uuid,
    leased_until timestamptz,
    sent boolean not null default false,
    tries int not null default 0,
    not_before timestamptz,
    last_error text,
    rejected_at timestamptz,
    primary key (endpoint_id, kind, hotel_id, id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create index behind_queue on booking_engine.behind (endpoint_id, place) where rejected_at is null;
comment on table booking_engine.behind is
    'One row per endpoint and key whose newest version it has not acknowledged. acked: the version it has (0: none); place: its position in the queue, in microseconds; token and leased_until: one send in flight; sent: the endpoint may have it although acked says no; rejected_at: refused for good, listed until its next version.';

create table booking_engine.attempt (
    at timestamptz not null default clock_timestamp(),
    endpoint_id int not null,
    webhook_id text not null,
    type text not null,
    hotel_id int,
    keys int not null,
    bytes int not null,
    outcome text not null,
    status int,
    latency_ms int not null,
    error text,
    answer text
) partition by range (at);
create index attempt_endpoint on booking_engine.attempt (endpoint_id, at);
comment on table booking_engine.attempt is 'Every send and what came of it, in daily partitions.';

create function booking_engine.next_version(old bigint) returns bigint
language sql volatile parallel safe
as $$ select greatest(old + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint) $$;
comment on function booking_engine.next_version is
    'Rises with every difference, also after a restore threw the table back: microseconds of the clock, or one more.';

-- down
drop function booking_engine.next_version;
drop table booking_engine.attempt, booking_engine.behind, booking_engine.endpoint, booking_engine.availability,
    booking_engine.document, booking_engine.client_seen, booking_engine.reservation_seen,
    booking_engine.dirty_scope, booking_engine.checkpoint;
