-- Rows that are marked anew while they are being sent.

-- up
alter table booking_engine.behind add column again boolean not null default false;
comment on table booking_engine.behind is
    'One row per endpoint and key whose newest version it has not acknowledged. acked: the version it has (0: none); place: its position in the queue, in microseconds; token and worker: one send in flight, as long as that worker lives; again: it was marked during that send, which acknowledges nothing; sent: the endpoint may have it although acked says no; tries: rejections of this version, outages: failed sends of it, not_before: the next one after either; rejected_at: refused for good, listed until its next version.';

-- down
alter table booking_engine.behind drop column again;
comment on table booking_engine.behind is
    'One row per endpoint and key whose newest version it has not acknowledged. acked: the version it has (0: none); place: its position in the queue, in microseconds; token and worker: one send in flight, as long as that worker lives; sent: the endpoint may have it although acked says no; tries: rejections of this version, outages: failed sends of it, not_before: the next one after either; rejected_at: refused for good, listed until its next version.';
