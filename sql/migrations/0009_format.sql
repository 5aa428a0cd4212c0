-- How an endpoint is spoken to.

-- up
alter table booking_engine.endpoint
    add column format text not null default 'standard-webhooks'
        check (format in ('standard-webhooks', 'cache-refresh'));
comment on column booking_engine.endpoint.format is
    'standard-webhooks: it is sent what is, signed; cache-refresh: its own cache interface is called, so that it fetches what has changed.';

-- down
alter table booking_engine.endpoint drop column format;
