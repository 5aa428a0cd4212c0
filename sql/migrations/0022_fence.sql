-- Claims do not wait for the disk, so a crash may take some back: how workers notice that there was one.

-- up
create unlogged table booking_engine.fence (
    one boolean primary key default true check (one),
    id uuid not null default gen_random_uuid()
);
comment on table booking_engine.fence is
    'Unlogged, so every crash of the server empties it, and whoever finds it empty makes its id anew: a worker that knows another one claims nothing.';

-- down
drop table booking_engine.fence;
