-- Who may call the API, and the record of it.

-- up
create table booking_engine.api_keys (
    id text collate "C" primary key,
    client text not null,
    digest bytea not null,
    scopes text[] not null,
    hotels int[],
    addresses cidr[],
    requests_per_minute int not null check (requests_per_minute > 0),
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);
comment on table booking_engine.api_keys is
    'API keys of booking engines. id: the key''s first characters; digest: SHA-256 of the whole key, which is stored nowhere; client: the engine''s name, the same for all of its keys: what it did with an old key stays its own; hotels null: every hotel; addresses null: from anywhere.';

create table booking_engine.engine_user (
    source text not null,
    user_id text collate "C" not null,
    client_id uuid not null,
    linked_at timestamptz not null default clock_timestamp(),
    primary key (source, user_id)
);
comment on table booking_engine.engine_user is
    'Which PMS client a booking engine''s user is. source: the client''s name of the API key.';

create table booking_engine.audit_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    request_id text not null,
    source text,
    key_id text,
    user_id text,
    address inet,
    method text not null,
    path text not null,
    hotel_id int,
    status int not null,
    code text,
    took_ms int not null
);
create index audit_log_at on booking_engine.audit_log (at);
comment on table booking_engine.audit_log is
    'Every call that wrote or meant to, and every one whose key or token was refused. code: of the error, null for none.';

-- down
drop table booking_engine.audit_log, booking_engine.engine_user, booking_engine.api_keys;
