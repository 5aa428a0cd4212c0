-- The inbound road: which bookings are ours, what was answered, what is held, and how each booking fares.

-- up
create table booking_engine.booking_link (
    source text not null,
    external_id text not null,
    hotel_id int not null,
    reservation_id uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (source, external_id)
);
create index booking_link_reservation on booking_engine.booking_link (hotel_id, reservation_id);
comment on table booking_engine.booking_link is
    'A booking that came to us: source (client) and its own id, made once, and the reservation it became. Staff may have split, merged or deleted that since.';

create table booking_engine.idempotency (
    client text not null,
    key text not null,
    fingerprint bytea not null,
    status int not null,
    headers jsonb not null,
    body bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (client, key)
);
create index idempotency_age on booking_engine.idempotency (created_at);
comment on table booking_engine.idempotency is
    'Final answers by client and Idempotency-Key, written in the transaction of what they answer. fingerprint: of method, path and content.';

create table booking_engine.hold (
    reservation_id uuid primary key,
    hotel_id int not null,
    source text not null,
    expires_at timestamptz not null,
    digest text not null,
    created_at timestamptz not null default clock_timestamp()
);
create index hold_expiry on booking_engine.hold (expires_at);
comment on table booking_engine.hold is
    'Reservations that hold rooms until they are booked or expire. digest: of the reservation as we wrote it; one that reads otherwise was touched by staff and is theirs.';

create table booking_engine.sync_status (
    source text not null,
    external_id text not null,
    hotel_id int not null,
    reservation_id uuid,
    status text not null check (status in ('pending', 'synced', 'failed', 'conflict')),
    error text,
    retries int not null default 0,
    last_attempt_at timestamptz not null default clock_timestamp(),
    primary key (source, external_id)
);
create index sync_status_reservation on booking_engine.sync_status (hotel_id, reservation_id);
create index sync_status_open on booking_engine.sync_status (hotel_id, last_attempt_at) where status <> 'synced';
comment on table booking_engine.sync_status is
    'How each booking fares that came to us. pending: could not be decided yet, the client tries again; failed: refused, error says why; conflict: a room of it is given to another stay, too; retries: attempts after the first.';

-- down
drop table booking_engine.sync_status, booking_engine.hold, booking_engine.idempotency, booking_engine.booking_link;
