-- Rooms that are given to a booking of ours and to another stay, too.

-- up
create table booking_engine.conflict (
    hotel_id int not null,
    reservation_id uuid not null,
    room_id int not null,
    date date not null,
    others uuid[] not null,
    found_at timestamptz not null default clock_timestamp(),
    primary key (hotel_id, reservation_id, room_id, date)
);
create index conflict_night on booking_engine.conflict (hotel_id, date);
create index document_own on booking_engine.document (hotel_id, id) where kind = 'booking' and own;
comment on table booking_engine.conflict is
    'Room-nights of bookings that came to us which another stay of the PMS occupies, too. others: the reservations that do; found_at: when the change stream first told. A row goes when its conflict ends.';

-- down
drop index booking_engine.document_own;
drop table booking_engine.conflict;
