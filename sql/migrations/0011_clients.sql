-- Work on all clients that documents show, whatever their hotels.

-- up
alter table booking_engine.dirty_scope drop constraint dirty_scope_kind_check;
alter table booking_engine.dirty_scope add constraint dirty_scope_kind_check
    check (kind in ('content', 'rates', 'availability', 'booking', 'horizon', 'client'));

-- down
delete from booking_engine.dirty_scope where kind = 'client';
alter table booking_engine.dirty_scope drop constraint dirty_scope_kind_check;
alter table booking_engine.dirty_scope add constraint dirty_scope_kind_check
    check (kind in ('content', 'rates', 'availability', 'booking', 'horizon'));
