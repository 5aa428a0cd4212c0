-- How each booking fares: its state beside how the last attempt at it ended.

-- up
alter table booking_engine.sync_status add column undecided boolean not null default false;
update booking_engine.sync_status set undecided = true where status = 'pending';
drop index booking_engine.sync_status_open;
create index sync_status_open on booking_engine.sync_status (hotel_id, last_attempt_at)
    where status <> 'synced' or error is not null;
create index sync_status_unbooked on booking_engine.sync_status (last_attempt_at) where reservation_id is null;
comment on table booking_engine.sync_status is
    'How each booking fares that came to us. status: the booking''s; pending: the last attempt came to no decision, the client has to try again; synced: it is in the PMS as the client was last told; failed: it is not in the PMS, and reservation_id is null; conflict: a room of it is given to another stay, too. error: why the last attempt came to nothing, null where it succeeded; undecided: it was not refused either; retries: attempts since the first that failed; last_attempt_at: of the client.';

-- down
drop index booking_engine.sync_status_unbooked;
drop index booking_engine.sync_status_open;
create index sync_status_open on booking_engine.sync_status (hotel_id, last_attempt_at) where status <> 'synced';
alter table booking_engine.sync_status drop column undecided;
comment on table booking_engine.sync_status is
    'How each booking fares that came to us. pending: could not be decided yet, the client tries again; failed: refused, error says why; conflict: a room of it is given to another stay, too; retries: attempts after the first.';
