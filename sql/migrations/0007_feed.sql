-- The pull feed: positions of what has changed, and how far each client has read.

-- up
create table booking_engine.event_queue (
    id bigint generated always as identity primary key,
    kind text not null,
    hotels int[] not null,
    ids text[] not null,
    sinces bigint[] not null,
    versions bigint[] not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
-- Compressing a batch of thousands of keys costs more time than writing it.
alter table booking_engine.event_queue
    alter column hotels set storage external, alter column ids set storage external,
    alter column sinces set storage external, alter column versions set storage external;
comment on table booking_engine.event_queue is
    'Documents that got a new version and have no position in the feed yet: one row per statement that wrote them, in that transaction. sinces: the versions before.';

create table booking_engine.event (
    position bigint primary key,
    kind text not null,
    hotel_id int not null,
    id text collate "C" not null,
    since bigint not null,
    version bigint not null
) partition by range (position);
comment on table booking_engine.event is
    'The feed: a position for every new version of a document, no copy of it. position: rises in the order in which events can be seen, and is about when it was given, in microseconds; since: the version before. Partitions hold a day of positions, in UTC.';

create table booking_engine.feed (
    single boolean primary key default true check (single),
    floor bigint not null
);
comment on table booking_engine.feed is
    'One row. floor: the last position that was dropped; a reader that stands before it has missed something.';
insert into booking_engine.feed (floor)
select case when exists (select from booking_engine.document where version > 0)
    then booking_engine.next_version(0) else 0 end;

create table booking_engine.event_cursor (
    client text not null,
    name text not null,
    position bigint not null,
    acked_at timestamptz not null default clock_timestamp(),
    primary key (client, name)
) with (fillfactor = 50);
comment on table booking_engine.event_cursor is
    'How far a client says that it has read and kept, by a name of its own. acked_at: when it last said so.';

-- down
drop table booking_engine.event_cursor, booking_engine.feed, booking_engine.event, booking_engine.event_queue;
