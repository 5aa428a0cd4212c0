-- What operators look for is found by an index, however long the queues and the past are.

-- up
create index behind_refused on booking_engine.behind (endpoint_id, rejected_at, hotel_id) where rejected_at is not null;
drop index booking_engine.behind_waiting;
create index behind_waiting on booking_engine.behind (endpoint_id, not_before, hotel_id)
    where rejected_at is null and not_before is not null;

drop index booking_engine.attempt_endpoint;
create index attempt_told on booking_engine.attempt (endpoint_id, hotel_id, type, at);
create index attempt_message on booking_engine.attempt using hash (webhook_id);
create index attempt_failed on booking_engine.attempt (endpoint_id, at) where outcome <> 'delivered';

-- down
drop index booking_engine.attempt_told, booking_engine.attempt_message, booking_engine.attempt_failed;
create index attempt_endpoint on booking_engine.attempt (endpoint_id, at);
drop index booking_engine.behind_refused, booking_engine.behind_waiting;
create index behind_waiting on booking_engine.behind (endpoint_id, not_before)
    where rejected_at is null and not_before is not null;
