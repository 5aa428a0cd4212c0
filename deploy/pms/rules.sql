-- Foreign keys, indexes and triggers of the PMS. Run when the tables are full: what a table holds is then checked
-- and indexed at once instead of row by row, and an import is not logged, as the PMS's own imports are not.
ALTER TABLE clients
    ADD FOREIGN KEY (client_group_id) REFERENCES client_group (id) ON DELETE SET NULL;
ALTER TABLE room_types
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE;
ALTER TABLE rooms
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (room_type_id, hotel_id) REFERENCES room_types (id, hotel_id) ON DELETE CASCADE;
ALTER TABLE plans_hotel
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (plans_global_id) REFERENCES plans_global (id) ON DELETE SET NULL,
    ADD FOREIGN KEY (plan_type_category_id) REFERENCES plan_type_categories (id),
    ADD FOREIGN KEY (plan_package_category_id) REFERENCES plan_package_categories (id);
ALTER TABLE hotel_plan_exclusions
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (global_plan_id) REFERENCES plans_global (id) ON DELETE CASCADE;
ALTER TABLE plans_rates
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (plans_global_id) REFERENCES plans_global (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (plans_hotel_id, hotel_id) REFERENCES plans_hotel (id, hotel_id) ON DELETE CASCADE,
    ADD FOREIGN KEY (tax_type_id) REFERENCES tax_info (id);
ALTER TABLE addons_global
    ADD FOREIGN KEY (tax_type_id) REFERENCES tax_info (id);
ALTER TABLE addons_hotel
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (addons_global_id) REFERENCES addons_global (id) ON DELETE SET NULL,
    ADD FOREIGN KEY (tax_type_id) REFERENCES tax_info (id);
ALTER TABLE plan_addons
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (plans_global_id) REFERENCES plans_global (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (plans_hotel_id, hotel_id) REFERENCES plans_hotel (id, hotel_id) ON DELETE CASCADE,
    ADD FOREIGN KEY (addons_global_id) REFERENCES addons_global (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (addons_hotel_id, hotel_id) REFERENCES addons_hotel (id, hotel_id) ON DELETE CASCADE,
    ADD FOREIGN KEY (tax_type_id) REFERENCES tax_info (id);
ALTER TABLE reservations
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (reservation_client_id) REFERENCES clients (id) ON DELETE CASCADE;
ALTER TABLE reservation_details
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (reservation_id, hotel_id) REFERENCES reservations (id, hotel_id) ON DELETE CASCADE,
    ADD FOREIGN KEY (room_id, hotel_id) REFERENCES rooms (id, hotel_id),
    ADD FOREIGN KEY (plans_global_id) REFERENCES plans_global (id) ON DELETE SET NULL,
    ADD FOREIGN KEY (plans_hotel_id, hotel_id) REFERENCES plans_hotel (id, hotel_id);
ALTER TABLE reservation_clients
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (reservation_details_id, hotel_id) REFERENCES reservation_details (id, hotel_id)
        ON DELETE CASCADE,
    ADD FOREIGN KEY (client_id) REFERENCES clients (id) ON DELETE CASCADE;
ALTER TABLE reservation_addons
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (reservation_detail_id, hotel_id) REFERENCES reservation_details (id, hotel_id)
        ON DELETE CASCADE,
    ADD FOREIGN KEY (addons_global_id) REFERENCES addons_global (id) ON DELETE SET NULL,
    ADD FOREIGN KEY (addons_hotel_id, hotel_id) REFERENCES addons_hotel (id, hotel_id),
    ADD FOREIGN KEY (tax_type_id) REFERENCES tax_info (id);
ALTER TABLE reservation_rates
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (reservation_details_id, hotel_id) REFERENCES reservation_details (id, hotel_id)
        ON DELETE CASCADE,
    ADD FOREIGN KEY (tax_type_id) REFERENCES tax_info (id);
ALTER TABLE reservation_payments
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (reservation_id, hotel_id) REFERENCES reservations (id, hotel_id) ON DELETE CASCADE,
    ADD FOREIGN KEY (room_id, hotel_id) REFERENCES rooms (id, hotel_id),
    ADD FOREIGN KEY (client_id) REFERENCES clients (id) ON DELETE SET NULL,
    ADD FOREIGN KEY (payment_type_id) REFERENCES payment_types (id);
ALTER TABLE reservation_parking
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (reservation_details_id, hotel_id) REFERENCES reservation_details (id, hotel_id)
        ON DELETE CASCADE;
ALTER TABLE invoices
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (client_id) REFERENCES clients (id) ON DELETE CASCADE;
ALTER TABLE sc_tl_rooms
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE;
ALTER TABLE sc_tl_plans
    ADD FOREIGN KEY (hotel_id) REFERENCES hotels (id) ON DELETE CASCADE;

DO $do$
DECLARE
    signed record;
BEGIN
    FOR signed IN
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema AND column_name IN ('created_by', 'updated_by')
            AND to_regclass(quote_ident(table_name)) NOT IN (SELECT inhrelid FROM pg_inherits)
        ORDER BY table_name, column_name
    LOOP
        EXECUTE format('ALTER TABLE %I ADD FOREIGN KEY (%I) REFERENCES users (id)',
            signed.table_name, signed.column_name);
    END LOOP;
END $do$;

CREATE INDEX clients_email_idx ON clients (email);
CREATE INDEX clients_phone_idx ON clients (phone);
CREATE INDEX plans_rates_plan_idx ON plans_rates (hotel_id, plans_hotel_id, plans_global_id);
CREATE INDEX reservations_client_idx ON reservations (reservation_client_id);
CREATE INDEX reservations_dates_idx ON reservations (hotel_id, check_in, check_out);
CREATE INDEX reservations_ota_idx ON reservations (ota_reservation_id) WHERE ota_reservation_id IS NOT NULL;
CREATE UNIQUE INDEX reservation_details_active_idx
    ON reservation_details (hotel_id, reservation_id, room_id, date) WHERE cancelled IS NULL;
CREATE INDEX reservation_details_date_idx ON reservation_details (hotel_id, date);
CREATE INDEX reservation_details_reservation_idx ON reservation_details (hotel_id, reservation_id);
CREATE INDEX reservation_details_room_idx ON reservation_details (hotel_id, room_id, date);
CREATE INDEX reservation_clients_detail_idx ON reservation_clients (hotel_id, reservation_details_id);
CREATE INDEX reservation_clients_client_idx ON reservation_clients (client_id);
CREATE INDEX reservation_addons_detail_idx ON reservation_addons (hotel_id, reservation_detail_id);
CREATE INDEX reservation_rates_detail_idx ON reservation_rates (hotel_id, reservation_details_id);
CREATE INDEX reservation_payments_reservation_idx ON reservation_payments (hotel_id, reservation_id);
CREATE INDEX reservation_payments_client_idx ON reservation_payments (client_id);
CREATE INDEX reservation_parking_detail_idx ON reservation_parking (hotel_id, reservation_details_id);
CREATE INDEX invoices_client_idx ON invoices (client_id);

-- Every change of a core table is copied into one of four log tables, each with a trigger function of its own.
DO $do$
DECLARE
    log_table text;
    logged text;
    families jsonb := '{
        "logs_user": ["users"],
        "logs_hotel": ["hotels", "room_types", "rooms", "plans_global", "plans_hotel", "plans_rates",
                       "plan_addons", "addons_global", "addons_hotel"],
        "logs_clients": ["clients"],
        "logs_reservation": ["reservations", "reservation_details", "reservation_clients", "reservation_addons",
                             "reservation_rates", "reservation_payments"]}';
BEGIN
    FOR log_table IN SELECT jsonb_object_keys(families) LOOP
        EXECUTE format('CREATE TABLE %I (id bigserial PRIMARY KEY, log_time timestamp DEFAULT CURRENT_TIMESTAMP, '
            'user_id int REFERENCES users (id), table_name text NOT NULL, action text NOT NULL, record_id text, '
            'changes jsonb)', log_table);
        -- The cast of the setting fails with 22P02 where an ended transaction has left it empty.
        EXECUTE format($sql$
            CREATE FUNCTION %1$I() RETURNS trigger LANGUAGE plpgsql AS $fn$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    INSERT INTO %2$I (user_id, table_name, action, record_id, changes)
                    VALUES (current_setting('my_app.user_id', true)::int, TG_TABLE_NAME, TG_OP, OLD.id,
                            to_jsonb(OLD));
                ELSE
                    INSERT INTO %2$I (user_id, table_name, action, record_id, changes)
                    VALUES (coalesce(NEW.updated_by, current_setting('my_app.user_id', true)::int),
                            TG_TABLE_NAME, TG_OP, NEW.id,
                            CASE TG_OP WHEN 'INSERT' THEN to_jsonb(NEW)
                                 ELSE jsonb_build_object('old', to_jsonb(OLD), 'new', to_jsonb(NEW)) END);
                END IF;
                RETURN NULL;
            END $fn$ $sql$, 'write_' || log_table, log_table);
        FOR logged IN SELECT jsonb_array_elements_text(families -> log_table) LOOP
            EXECUTE format('CREATE TRIGGER log_changes AFTER INSERT OR UPDATE OR DELETE ON %I '
                'FOR EACH ROW EXECUTE FUNCTION %I()', logged, 'write_' || log_table);
        END LOOP;
    END LOOP;
END $do$;

-- The listener that keeps the OTA channel manager in step starts from this notification.
CREATE FUNCTION announce_reservation_log() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    PERFORM pg_notify('reservation_log_inserted', NEW.id::text);
    RETURN NULL;
END $fn$;
CREATE TRIGGER announce AFTER INSERT ON logs_reservation
    FOR EACH ROW EXECUTE FUNCTION announce_reservation_log();

CREATE FUNCTION count_hotel_rooms() RETURNS trigger LANGUAGE plpgsql AS $fn$
DECLARE
    changed int := CASE TG_OP WHEN 'DELETE' THEN OLD.hotel_id ELSE NEW.hotel_id END;
BEGIN
    UPDATE hotels
    SET total_rooms = (SELECT count(*) FROM rooms WHERE rooms.hotel_id = changed AND for_sale)
    WHERE id = changed;
    RETURN NULL;
END $fn$;
CREATE TRIGGER count_rooms AFTER INSERT OR UPDATE OR DELETE ON rooms
    FOR EACH ROW EXECUTE FUNCTION count_hotel_rooms();
