-- Bookings that staff have split or merged: the nights of each that came to us, wherever they are.

-- up
create table booking_engine.booking_night (
    hotel_id int not null,
    night_id uuid not null,
    booking_id uuid not null,
    reservation_id uuid not null,
    primary key (hotel_id, night_id)
);
create index booking_night_booking on booking_engine.booking_night (hotel_id, booking_id);
create index booking_night_reservation on booking_engine.booking_night (hotel_id, reservation_id);
create index booking_link_external on booking_engine.booking_link (hotel_id, external_id);
comment on table booking_engine.booking_night is
    'The nights of bookings that came to us. booking_id: the booking that the night belongs to until it is deleted; reservation_id: where it was last seen, which staff change when they split and merge.';
comment on table booking_engine.booking_link is
    'A booking that came to us: source (client) and its own id, made once, and the reservation it was made with, whose id stays the booking''s. Staff may have split, merged or deleted that since: see booking_night.';
comment on table booking_engine.conflict is
    'Room-nights of bookings that came to us which another stay of the PMS occupies, too. reservation_id: the booking''s; others: the reservations that do; found_at: when the change stream first told. A row goes when its conflict ends.';
insert into booking_engine.dirty_scope (kind, hotel_id, reason)
select 'booking', null, 'bookings of several reservations' from booking_engine.checkpoint limit 1
on conflict (kind, hotel_id) do update set cursor = null, done = 0, total = null;

-- down
comment on table booking_engine.conflict is
    'Room-nights of bookings that came to us which another stay of the PMS occupies, too. others: the reservations that do; found_at: when the change stream first told. A row goes when its conflict ends.';
comment on table booking_engine.booking_link is
    'A booking that came to us: source (client) and its own id, made once, and the reservation it became. Staff may have split, merged or deleted that since.';
drop index booking_engine.booking_link_external;
drop table booking_engine.booking_night;
