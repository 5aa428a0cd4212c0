-- How endpoints have fared, and engines that are asked one thing at a time.

-- up
update booking_engine.endpoint set concurrency = 1, revision = revision + 1
where format = 'cache-refresh' and concurrency <> 1;

create table booking_engine.endpoint_change (
    endpoint_id int not null references booking_engine.endpoint on delete cascade,
    at timestamptz not null default clock_timestamp(),
    before text not null,
    status text not null,
    reason text
);
create index endpoint_change_latest on booking_engine.endpoint_change (endpoint_id, at);
comment on table booking_engine.endpoint_change is
    'The latest changes of each endpoint''s status, whoever made them, with the reason at that time.';

create function booking_engine.note_endpoint_change() returns trigger
language plpgsql
as $$
begin
    insert into booking_engine.endpoint_change (endpoint_id, before, status, reason)
    values (new.id, old.status, new.status, new.reason);
    delete from booking_engine.endpoint_change
    where endpoint_id = new.id and at < (
        select at from booking_engine.endpoint_change
        where endpoint_id = new.id
        order by at desc offset 99 limit 1);
    return null;
end $$;
comment on function booking_engine.note_endpoint_change is 'Notes a change of an endpoint''s status, and keeps the latest hundred.';

create trigger note_change
after update of status on booking_engine.endpoint
for each row when (old.status <> new.status)
execute function booking_engine.note_endpoint_change();

-- down
drop trigger note_change on booking_engine.endpoint;
drop function booking_engine.note_endpoint_change;
drop table booking_engine.endpoint_change;
