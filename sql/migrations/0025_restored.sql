-- Tells a restored database from one that went on, and raises versions above what engines may have been sent.

-- up
alter table booking_engine.checkpoint
    add column incarnation text,
    add column restored_at timestamptz,
    add column restored text;
update booking_engine.checkpoint
set incarnation = (select oid from pg_database where datname = current_database()) || '/' || tableoid;
comment on table booking_engine.checkpoint is
    'How far the change stream has been turned into documents. epoch: raised by each new leader; committed_at: commit time of the last transaction; horizon: the hotel-local day the availability horizon stands on; incarnation: the database and table it was written in, as numbers: after a dump is restored it lies in others; restored_at, restored: when it was last found that the database had been put back, and by what.';
alter table booking_engine.dirty_scope drop constraint dirty_scope_kind_check;
alter table booking_engine.dirty_scope add constraint dirty_scope_kind_check
    check (kind in ('content', 'rates', 'availability', 'booking', 'horizon', 'client', 'versions'));

-- down
delete from booking_engine.dirty_scope where kind = 'versions';
alter table booking_engine.dirty_scope drop constraint dirty_scope_kind_check;
alter table booking_engine.dirty_scope add constraint dirty_scope_kind_check
    check (kind in ('content', 'rates', 'availability', 'booking', 'horizon', 'client'));
comment on table booking_engine.checkpoint is
    'How far the change stream has been turned into documents. epoch: raised by each new leader; committed_at: commit time of the last transaction; horizon: the hotel-local day the availability horizon stands on.';
alter table booking_engine.checkpoint drop column incarnation, drop column restored_at, drop column restored;
