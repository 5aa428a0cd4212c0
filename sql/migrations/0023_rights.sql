-- An answer is repeated to whoever may see as much as who was given it.

-- up
alter table booking_engine.idempotency add column rights jsonb not null default '{}';
alter table booking_engine.idempotency alter column rights drop default;
comment on table booking_engine.idempotency is
    'Final answers by client and Idempotency-Key, written in the transaction of what they answer. fingerprint: of method, path, If-Match and content. rights: what who asked may see.';

-- down
comment on table booking_engine.idempotency is
    'Final answers by client and Idempotency-Key, written in the transaction of what they answer. fingerprint: of method, path and content.';
alter table booking_engine.idempotency drop column rights;
