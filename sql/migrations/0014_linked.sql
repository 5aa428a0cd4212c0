-- Which clients of the PMS a booking engine's users are, found by the client.

-- up
create index engine_user_client on booking_engine.engine_user (client_id, source);

-- down
drop index booking_engine.engine_user_client;
