-- What is secret of an endpoint is stored encrypted; secrets that rotate, key pairs, private authorities, headers.

-- up
alter table booking_engine.endpoint
    add column public_key text,
    add column old_secret text,
    add column old_secret_until timestamptz,
    add column ca text,
    add column headers jsonb not null default '{}';
comment on column booking_engine.endpoint.secret is 'What signs its messages, encrypted by ROOMWIRE_SECRET_KEYS.';
comment on column booking_engine.endpoint.public_key is 'whpk_…: what ed25519 signatures are verified with; null for HMAC.';
comment on column booking_engine.endpoint.old_secret is 'The secret before, encrypted: it signs too, until old_secret_until.';
comment on column booking_engine.endpoint.ca is 'PEM: the only authority that its certificate may be of; null for the system''s.';
comment on column booking_engine.endpoint.headers is 'Sent with every message: names, and values encrypted by ROOMWIRE_SECRET_KEYS.';

-- down
comment on column booking_engine.endpoint.secret is null;
alter table booking_engine.endpoint
    drop column public_key, drop column old_secret, drop column old_secret_until, drop column ca, drop column headers;
