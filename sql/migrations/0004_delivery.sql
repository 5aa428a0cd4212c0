-- How an endpoint is, and which worker sends what.

-- up
alter table booking_engine.endpoint drop constraint endpoint_status_check;
update booking_engine.endpoint
set status = case when failures > 0 then 'degraded' else 'healthy' end
where status = 'enabled';
alter table booking_engine.endpoint
    alter column status set default 'healthy',
    add constraint endpoint_status_check check (status in ('healthy', 'degraded', 'paused', 'disabled')),
    add column changed_at timestamptz not null default clock_timestamp(),
    add column failed_at timestamptz,
    add column pace real not null default 1 check (pace > 0 and pace <= 1),
    add column paced_at timestamptz,
    add column rate_per_second real check (rate_per_second > 0);
comment on column booking_engine.endpoint.status is
    'healthy; degraded: it failed lately, and is sent to all the same; paused: nothing is sent but a probe at retry_at, or nothing at all where that is null, which is its operator''s word; disabled: it gets no marks either, and enabling it is a first sync.';
comment on column booking_engine.endpoint.reason is 'Why it is not healthy; changed_at: since when its status is what it is.';
comment on column booking_engine.endpoint.retry_at is
    'Nothing is sent before: the probe of one that is paused, or the time that it asked for itself.';
comment on column booking_engine.endpoint.failures is 'Sends in a row that failed through no fault of their content; failed_at: the last of them.';
comment on column booking_engine.endpoint.pace is
    'Share of its concurrency and rate that it could take at paced_at; from there on it rises by itself.';

drop index booking_engine.behind_queue;
alter table booking_engine.behind
    drop column leased_until,
    add column worker uuid,
    add column outages int not null default 0;
create index behind_queue on booking_engine.behind (endpoint_id, place)
    where rejected_at is null and not_before is null;
create index behind_waiting on booking_engine.behind (endpoint_id, not_before)
    where rejected_at is null and not_before is not null;
comment on table booking_engine.behind is
    'One row per endpoint and key whose newest version it has not acknowledged. acked: the version it has (0: none); place: its position in the queue, in microseconds; token and worker: one send in flight, as long as that worker lives; sent: the endpoint may have it although acked says no; tries: rejections of this version, outages: failed sends of it, not_before: the next one after either; rejected_at: refused for good, listed until its next version.';

create table booking_engine.worker (
    id uuid primary key,
    name text not null,
    until timestamptz not null,
    started_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);
comment on table booking_engine.worker is
    'Processes that deliver. until: renewed every few seconds; whoever cannot renew stops sending before, and from then on others send what was his.';

-- down
drop table booking_engine.worker;
drop index booking_engine.behind_queue, booking_engine.behind_waiting;
alter table booking_engine.behind
    drop column worker, drop column outages, add column leased_until timestamptz;
create index behind_queue on booking_engine.behind (endpoint_id, place) where rejected_at is null;
alter table booking_engine.endpoint
    drop constraint endpoint_status_check, drop column changed_at, drop column failed_at, drop column pace,
    drop column paced_at, drop column rate_per_second;
comment on column booking_engine.endpoint.status is null;
comment on column booking_engine.endpoint.reason is null;
comment on column booking_engine.endpoint.retry_at is null;
comment on column booking_engine.endpoint.failures is null;
update booking_engine.endpoint set status = 'enabled' where status <> 'disabled';
alter table booking_engine.endpoint
    alter column status set default 'enabled',
    add constraint endpoint_status_check check (status in ('enabled', 'disabled'));
