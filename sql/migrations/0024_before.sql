-- What of a hotel stands before its snapshot in a queue.

-- up
create index behind_before on booking_engine.behind (endpoint_id, hotel_id, place)
    where kind <> 'snapshot' and rejected_at is null and tries = 0;

-- down
drop index booking_engine.behind_before;
