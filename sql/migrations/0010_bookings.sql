-- Bookings in the order in which they changed, and how many rooms each hold keeps.

-- up
alter table booking_engine.booking_link add column version bigint not null default 0;
update booking_engine.booking_link l
set version = d.version
from booking_engine.document d
where d.kind = 'booking' and d.hotel_id = l.hotel_id and d.id = l.reservation_id::text;
create index booking_link_changed on booking_engine.booking_link (source, version, reservation_id);
comment on column booking_engine.booking_link.version is
    'That of the booking''s document, so that a client''s changes are found by an index; 0: it has none yet.';

alter table booking_engine.hold add column rooms int not null default 1;
create index hold_source on booking_engine.hold (source);
comment on column booking_engine.hold.rooms is 'How many rooms it keeps.';

-- down
drop index booking_engine.hold_source;
alter table booking_engine.hold drop column rooms;
drop index booking_engine.booking_link_changed;
alter table booking_engine.booking_link drop column version;
