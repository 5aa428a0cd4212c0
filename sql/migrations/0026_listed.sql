-- A page of what endpoints lack, or lack of one hotel, is found by an index, however many keys were refused or paused
-- in one moment, or stand at one place of a queue. There a first sync puts all keys of a kind, so those of one hotel are in
-- the index in their order, too. That every pause is finite is said by the list alone: delivery asks for pauses of all
-- hotels, and must not be planned with the index of one.

-- up
drop index booking_engine.behind_refused, booking_engine.behind_waiting, booking_engine.behind_queue;
create index behind_refused on booking_engine.behind (endpoint_id, rejected_at, place, hotel_id)
    where rejected_at is not null;
create index behind_refused_of_hotel on booking_engine.behind (hotel_id, endpoint_id, rejected_at, place)
    where rejected_at is not null;
create index behind_waiting on booking_engine.behind (endpoint_id, not_before, place, hotel_id)
    where rejected_at is null and not_before is not null;
create index behind_waiting_of_hotel on booking_engine.behind (hotel_id, endpoint_id, not_before, place)
    where rejected_at is null and coalesce(not_before, 'infinity') < 'infinity';
create index behind_queue on booking_engine.behind (endpoint_id, place, hotel_id, kind, id)
    where rejected_at is null and not_before is null;

-- down
drop index booking_engine.behind_refused, booking_engine.behind_waiting, booking_engine.behind_queue,
    booking_engine.behind_refused_of_hotel, booking_engine.behind_waiting_of_hotel;
create index behind_refused on booking_engine.behind (endpoint_id, rejected_at, hotel_id) where rejected_at is not null;
create index behind_waiting on booking_engine.behind (endpoint_id, not_before, hotel_id)
    where rejected_at is null and not_before is not null;
create index behind_queue on booking_engine.behind (endpoint_id, place)
    where rejected_at is null and not_before is null;
