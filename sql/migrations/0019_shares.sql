-- Who of those who deliver has heard of whom.

-- up
alter table booking_engine.worker add column kept_at timestamptz;
comment on column booking_engine.worker.kept_at is
    'Its sends keep to what is its own among the workers that lived then: who came before may begin.';

-- down
alter table booking_engine.worker drop column kept_at;
