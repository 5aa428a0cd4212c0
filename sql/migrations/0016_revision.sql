-- What an endpoint's settings are, told apart from what they were.

-- up
alter table booking_engine.endpoint add column revision int not null default 1;
comment on column booking_engine.endpoint.revision is
    'Rises with every change of what its operator sets; a worker that knows an older one claims nothing.';

-- down
alter table booking_engine.endpoint drop column revision;
