-- Events of bookings that were our own, for those who read of these only.

-- up
alter table booking_engine.event_queue add column owns boolean[];
update booking_engine.event_queue set owns = array_fill(true, array[cardinality(ids)]);
alter table booking_engine.event_queue alter column owns set not null;
comment on table booking_engine.event_queue is
    'Documents that got a new version and have no position in the feed yet: one row per statement that wrote them, in that transaction. sinces: the versions before; owns: see event.own.';

alter table booking_engine.event add column own boolean not null default false;
update booking_engine.event e
set own = true
from booking_engine.document d
where e.kind = 'booking' and d.own and d.kind = e.kind and d.hotel_id = e.hotel_id and d.id = e.id;
comment on table booking_engine.event is
    'The feed: a position for every new version of a document, no copy of it. position: rises in the order in which events can be seen, and is about when it was given, in microseconds; since: the version before; own: a booking that was our own in this version or in the one before. Partitions hold a day of positions, in UTC.';

-- down
alter table booking_engine.event drop column own;
alter table booking_engine.event_queue drop column owns;
comment on table booking_engine.event is
    'The feed: a position for every new version of a document, no copy of it. position: rises in the order in which events can be seen, and is about when it was given, in microseconds; since: the version before. Partitions hold a day of positions, in UTC.';
comment on table booking_engine.event_queue is
    'Documents that got a new version and have no position in the feed yet: one row per statement that wrote them, in that transaction. sinces: the versions before.';
