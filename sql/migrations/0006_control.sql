-- What operators decide of endpoints: what each subscribes to, and what it is sent again.

-- up
alter table booking_engine.endpoint
    add column types text[]
        check (types <@ array['hotel', 'room_type', 'plan', 'rates', 'availability', 'booking']
            and cardinality(types) > 0);
comment on column booking_engine.endpoint.types is
    'Kinds of documents that it is told of: what stands before the dot in a message''s type. Null: all.';

create table booking_engine.replay (
    id bigint generated always as identity primary key,
    endpoint_id int not null references booking_engine.endpoint on delete cascade,
    reason text not null,
    hotels int[],
    kinds text[],
    since timestamptz,
    version bigint not null,
    total bigint,
    marked bigint not null default 0,
    at_kind text not null default '',
    at_hotel int not null default 0,
    at_id text collate "C" not null default '',
    created_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    note text
);
create index replay_open on booking_engine.replay (id) where finished_at is null;
create index replay_endpoint on booking_engine.replay (endpoint_id);
comment on table booking_engine.replay is
    'What endpoints are sent again, or for the first time since they were widened. hotels, kinds null: all that the endpoint subscribes to; since: only what has changed since, deletions too; version: taken while nobody wrote documents, the marks'' place and the closing snapshots'' version; total: documents counted when it was asked for; marked: of them, behind by now; at_kind, at_hotel, at_id: the last document looked at; note: why it ended early.';

-- down
drop table booking_engine.replay;
alter table booking_engine.endpoint drop column types;
