-- A schema compatible with the hotel PMS that Roomwire works beside: what it reads, writes or has to survive.
-- Runs as an ordinary owner on PostgreSQL 15 and later, into an empty schema.

CREATE TABLE users (
    id serial PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text,
    password_hash text,
    role_id int NOT NULL DEFAULT 5,
    status_id int NOT NULL DEFAULT 1,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id)
);

CREATE TABLE tax_info (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE,
    percentage numeric(12, 4) NOT NULL DEFAULT 0,
    description text
);
INSERT INTO tax_info (id, name, percentage) VALUES (1, '非課税', 0), (2, '軽減税率', 0.08), (3, '標準税率', 0.1);

CREATE TABLE payment_types (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE,
    transaction text NOT NULL
);
INSERT INTO payment_types (id, name, transaction)
VALUES (1, '現金', 'cash'), (2, 'ポイント', 'point'), (3, '振込', 'wire'), (4, 'クレジット', 'credit'),
       (5, '請求書', 'bill'), (6, '割引', 'discount');

CREATE TABLE plan_type_categories (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE plan_package_categories (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO plan_type_categories (name) VALUES ('素泊まり'), ('朝食付'), ('2食付'), ('連泊');
INSERT INTO plan_package_categories (name) VALUES ('スタンダード'), ('マンスリー'), ('荷物部屋');

CREATE TABLE client_group (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE clients (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id int,
    name text NOT NULL DEFAULT 'TBD',
    name_kana text,
    name_kanji text,
    date_of_birth date,
    legal_or_natural_person text CHECK (legal_or_natural_person IN ('legal', 'natural')),
    gender text DEFAULT 'other' CHECK (gender IN ('male', 'female', 'other')),
    email text,
    phone text,
    fax text,
    loyalty_tier text DEFAULT 'prospect',
    client_group_id uuid REFERENCES client_group (id) ON DELETE SET NULL,
    website text,
    billing_preference text DEFAULT 'paper' CHECK (billing_preference IN ('paper', 'digital')),
    comment text,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id)
);
CREATE INDEX clients_email_idx ON clients (email);
CREATE INDEX clients_phone_idx ON clients (phone);

CREATE TABLE hotels (
    id serial PRIMARY KEY,
    formal_name text,
    name text NOT NULL,
    facility_type text CHECK (facility_type IN ('New', 'Used')),
    open_date date,
    total_rooms int,
    postal_code text,
    address text,
    email text,
    phone_number text,
    latitude numeric(9, 6),
    longitude numeric(9, 6),
    bank_name text,
    bank_branch_name text,
    bank_account_type text DEFAULT '普通',
    bank_account_number text,
    bank_account_name text,
    google_drive_url text,
    sort_order int DEFAULT 0,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id)
);

CREATE TABLE room_types (
    id serial NOT NULL,
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    name text NOT NULL,
    description text,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    PRIMARY KEY (hotel_id, id),
    UNIQUE (hotel_id, name)
) PARTITION BY LIST (hotel_id);

CREATE TABLE rooms (
    id serial NOT NULL,
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    room_type_id int NOT NULL,
    floor int NOT NULL DEFAULT 1,
    room_number text NOT NULL,
    capacity int NOT NULL DEFAULT 1,
    smoking bool NOT NULL DEFAULT false,
    has_wet_area bool NOT NULL DEFAULT false,
    for_sale bool NOT NULL DEFAULT true,
    is_staff_room bool NOT NULL DEFAULT false,
    assignment_priority int,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    PRIMARY KEY (hotel_id, id),
    UNIQUE (hotel_id, room_type_id, room_number),
    FOREIGN KEY (room_type_id, hotel_id) REFERENCES room_types (id, hotel_id) ON DELETE CASCADE
) PARTITION BY LIST (hotel_id);

CREATE TABLE plans_global (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE,
    description text,
    plan_type text NOT NULL DEFAULT 'per_room' CHECK (plan_type IN ('per_person', 'per_room')),
    color text DEFAULT '#D3D3D3',
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id)
);

CREATE TABLE plans_hotel (
    id serial NOT NULL,
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    plans_global_id int REFERENCES plans_global (id) ON DELETE SET NULL,
    name text,
    description text,
    plan_type text CHECK (plan_type IN ('per_person', 'per_room')),
    color text,
    plan_type_category_id int NOT NULL REFERENCES plan_type_categories (id),
    plan_package_category_id int NOT NULL DEFAULT 1 REFERENCES plan_package_categories (id),
    display_order int,
    is_active bool DEFAULT true,
    available_from date,
    available_until date,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);

CREATE TABLE hotel_plan_exclusions (
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    global_plan_id int NOT NULL REFERENCES plans_global (id) ON DELETE CASCADE,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (hotel_id, global_plan_id)
);

CREATE TABLE plans_rates (
    id serial PRIMARY KEY,
    hotel_id int REFERENCES hotels (id) ON DELETE CASCADE,
    plans_global_id int REFERENCES plans_global (id) ON DELETE CASCADE,
    plans_hotel_id int,
    adjustment_type text NOT NULL CHECK (adjustment_type IN ('base_rate', 'percentage', 'flat_fee')),
    include_in_cancel_fee bool NOT NULL DEFAULT false,
    adjustment_value numeric(10, 2) NOT NULL,
    tax_type_id int REFERENCES tax_info (id),
    tax_rate numeric(12, 4),
    net_price numeric(12, 0) GENERATED ALWAYS AS (
        adjustment_value - floor(adjustment_value
            * (CASE WHEN tax_rate > 1 THEN tax_rate / 100 ELSE coalesce(tax_rate, 0) END)
            / (1 + (CASE WHEN tax_rate > 1 THEN tax_rate / 100 ELSE coalesce(tax_rate, 0) END)))
    ) STORED,
    sales_category text DEFAULT 'accommodation' CHECK (sales_category IN ('accommodation', 'other')),
    condition_type text NOT NULL DEFAULT 'no_restriction'
        CHECK (condition_type IN ('no_restriction', 'day_of_week', 'month')),
    condition_value text,
    date_start date NOT NULL,
    date_end date,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    FOREIGN KEY (plans_hotel_id, hotel_id) REFERENCES plans_hotel (id, hotel_id) ON DELETE CASCADE,
    CHECK ((plans_global_id IS NULL) <> (plans_hotel_id IS NULL))
);
CREATE INDEX plans_rates_plan_idx ON plans_rates (hotel_id, plans_hotel_id, plans_global_id);

CREATE TABLE addons_global (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE,
    description text,
    addon_type text NOT NULL DEFAULT 'other'
        CHECK (addon_type IN ('breakfast', 'lunch', 'dinner', 'parking', 'other')),
    price numeric(10, 2) NOT NULL DEFAULT 0,
    tax_type_id int REFERENCES tax_info (id),
    tax_rate numeric(12, 4),
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id)
);

CREATE TABLE addons_hotel (
    id serial NOT NULL,
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    addons_global_id int REFERENCES addons_global (id) ON DELETE SET NULL,
    name text NOT NULL,
    description text,
    addon_type text NOT NULL DEFAULT 'other'
        CHECK (addon_type IN ('breakfast', 'lunch', 'dinner', 'parking', 'other')),
    price numeric(10, 2) NOT NULL DEFAULT 0,
    tax_type_id int REFERENCES tax_info (id),
    tax_rate numeric(12, 4),
    visible bool NOT NULL DEFAULT true,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);

CREATE TABLE plan_addons (
    id serial PRIMARY KEY,
    hotel_id int REFERENCES hotels (id) ON DELETE CASCADE,
    plans_global_id int REFERENCES plans_global (id) ON DELETE CASCADE,
    plans_hotel_id int,
    addons_global_id int REFERENCES addons_global (id) ON DELETE CASCADE,
    addons_hotel_id int,
    addon_type text NOT NULL DEFAULT 'other',
    price numeric(10, 2) NOT NULL DEFAULT 0,
    tax_type_id int REFERENCES tax_info (id),
    tax_rate numeric(12, 4),
    date_start date,
    date_end date,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    FOREIGN KEY (plans_hotel_id, hotel_id) REFERENCES plans_hotel (id, hotel_id) ON DELETE CASCADE,
    FOREIGN KEY (addons_hotel_id, hotel_id) REFERENCES addons_hotel (id, hotel_id) ON DELETE CASCADE
);

CREATE TABLE reservations (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    reservation_client_id uuid NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    check_in date NOT NULL,
    check_in_time time DEFAULT '16:00',
    check_out date NOT NULL,
    check_out_time time DEFAULT '10:00',
    number_of_people int NOT NULL,
    status text NOT NULL DEFAULT 'hold'
        CHECK (status IN ('hold', 'provisory', 'confirmed', 'checked_in', 'checked_out', 'cancelled', 'block')),
    type text NOT NULL DEFAULT 'default' CHECK (type IN ('default', 'employee', 'ota', 'web')),
    agent text,
    ota_reservation_id text,
    payment_timing text NOT NULL DEFAULT 'not_set'
        CHECK (payment_timing IN ('not_set', 'prepaid', 'on-site', 'postpaid')),
    comment text,
    has_important_comment bool NOT NULL DEFAULT false,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);
CREATE INDEX reservations_client_idx ON reservations (reservation_client_id);
CREATE INDEX reservations_dates_idx ON reservations (hotel_id, check_in, check_out);
CREATE INDEX reservations_ota_idx ON reservations (ota_reservation_id) WHERE ota_reservation_id IS NOT NULL;

CREATE TABLE reservation_details (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    reservation_id uuid NOT NULL,
    date date NOT NULL,
    room_id int,
    plans_global_id int REFERENCES plans_global (id) ON DELETE SET NULL,
    plans_hotel_id int,
    plan_name text,
    plan_type text NOT NULL DEFAULT 'per_room' CHECK (plan_type IN ('per_person', 'per_room')),
    number_of_people int NOT NULL,
    price numeric,
    cancelled uuid,
    billable bool DEFAULT false,
    is_accommodation bool DEFAULT true,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    PRIMARY KEY (hotel_id, id),
    FOREIGN KEY (reservation_id, hotel_id) REFERENCES reservations (id, hotel_id) ON DELETE CASCADE,
    FOREIGN KEY (room_id, hotel_id) REFERENCES rooms (id, hotel_id),
    FOREIGN KEY (plans_hotel_id, hotel_id) REFERENCES plans_hotel (id, hotel_id)
) PARTITION BY LIST (hotel_id);
CREATE UNIQUE INDEX reservation_details_active_idx
    ON reservation_details (hotel_id, reservation_id, room_id, date) WHERE cancelled IS NULL;
CREATE INDEX reservation_details_date_idx ON reservation_details (hotel_id, date);
CREATE INDEX reservation_details_reservation_idx ON reservation_details (hotel_id, reservation_id);
CREATE INDEX reservation_details_room_idx ON reservation_details (hotel_id, room_id, date);

CREATE TABLE reservation_clients (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    reservation_details_id uuid NOT NULL,
    client_id uuid NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    PRIMARY KEY (hotel_id, id),
    FOREIGN KEY (reservation_details_id, hotel_id) REFERENCES reservation_details (id, hotel_id) ON DELETE CASCADE
) PARTITION BY LIST (hotel_id);
CREATE INDEX reservation_clients_detail_idx ON reservation_clients (hotel_id, reservation_details_id);
CREATE INDEX reservation_clients_client_idx ON reservation_clients (client_id);

CREATE TABLE reservation_addons (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    reservation_detail_id uuid NOT NULL,
    addons_global_id int REFERENCES addons_global (id) ON DELETE SET NULL,
    addons_hotel_id int,
    addon_name text,
    addon_type text CHECK (addon_type IN ('breakfast', 'lunch', 'dinner', 'parking', 'other')),
    quantity int NOT NULL DEFAULT 1,
    price numeric NOT NULL DEFAULT 0,
    tax_type_id int REFERENCES tax_info (id),
    tax_rate numeric(12, 4),
    net_price numeric GENERATED ALWAYS AS (
        price - floor(price * (CASE WHEN tax_rate > 1 THEN tax_rate / 100 ELSE coalesce(tax_rate, 0) END)
            / (1 + (CASE WHEN tax_rate > 1 THEN tax_rate / 100 ELSE coalesce(tax_rate, 0) END)))
    ) STORED,
    sales_category text DEFAULT 'accommodation' CHECK (sales_category IN ('accommodation', 'other')),
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    PRIMARY KEY (hotel_id, id),
    FOREIGN KEY (reservation_detail_id, hotel_id) REFERENCES reservation_details (id, hotel_id) ON DELETE CASCADE,
    FOREIGN KEY (addons_hotel_id, hotel_id) REFERENCES addons_hotel (id, hotel_id)
) PARTITION BY LIST (hotel_id);
CREATE INDEX reservation_addons_detail_idx ON reservation_addons (hotel_id, reservation_detail_id);

CREATE TABLE reservation_rates (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    reservation_details_id uuid NOT NULL,
    adjustment_type text NOT NULL CHECK (adjustment_type IN ('base_rate', 'percentage', 'flat_fee')),
    adjustment_value numeric(10, 2) NOT NULL,
    include_in_cancel_fee bool NOT NULL DEFAULT false,
    tax_type_id int REFERENCES tax_info (id),
    tax_rate numeric(12, 4),
    price numeric(12, 0) NOT NULL,
    net_price numeric(12, 0) GENERATED ALWAYS AS (
        price - floor(price * (CASE WHEN tax_rate > 1 THEN tax_rate / 100 ELSE coalesce(tax_rate, 0) END)
            / (1 + (CASE WHEN tax_rate > 1 THEN tax_rate / 100 ELSE coalesce(tax_rate, 0) END)))
    ) STORED,
    sales_category text DEFAULT 'accommodation' CHECK (sales_category IN ('accommodation', 'other')),
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    PRIMARY KEY (hotel_id, id),
    FOREIGN KEY (reservation_details_id, hotel_id) REFERENCES reservation_details (id, hotel_id) ON DELETE CASCADE
) PARTITION BY LIST (hotel_id);
CREATE INDEX reservation_rates_detail_idx ON reservation_rates (hotel_id, reservation_details_id);

CREATE TABLE reservation_payments (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    reservation_id uuid NOT NULL,
    date date NOT NULL,
    room_id int,
    client_id uuid REFERENCES clients (id) ON DELETE SET NULL,
    payment_type_id int NOT NULL REFERENCES payment_types (id),
    value numeric,
    comment text,
    invoice_id uuid,
    receipt_id uuid,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    PRIMARY KEY (hotel_id, id),
    FOREIGN KEY (reservation_id, hotel_id) REFERENCES reservations (id, hotel_id) ON DELETE CASCADE,
    FOREIGN KEY (room_id, hotel_id) REFERENCES rooms (id, hotel_id)
) PARTITION BY LIST (hotel_id);
CREATE INDEX reservation_payments_reservation_idx ON reservation_payments (hotel_id, reservation_id);
CREATE INDEX reservation_payments_client_idx ON reservation_payments (client_id);

-- Tables without a primary key: a publication FOR ALL TABLES makes their updates and deletes fail.
CREATE TABLE reservation_parking (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    reservation_details_id uuid NOT NULL,
    reservation_addon_id uuid,
    parking_spot_id int,
    vehicle_category_id int,
    date date NOT NULL,
    status text NOT NULL DEFAULT 'confirmed',
    price numeric,
    comment text,
    cancelled uuid,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id),
    updated_by int REFERENCES users (id),
    FOREIGN KEY (reservation_details_id, hotel_id) REFERENCES reservation_details (id, hotel_id) ON DELETE CASCADE
) PARTITION BY LIST (hotel_id);
CREATE INDEX reservation_parking_detail_idx ON reservation_parking (hotel_id, reservation_details_id);

CREATE TABLE invoices (
    id uuid NOT NULL,
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    date date NOT NULL,
    client_id uuid REFERENCES clients (id) ON DELETE CASCADE,
    invoice_number text,
    status text DEFAULT 'draft',
    display_name text,
    due_date date,
    total_stays int,
    comment text,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int REFERENCES users (id)
) PARTITION BY LIST (hotel_id);
CREATE INDEX invoices_client_idx ON invoices (client_id);

CREATE TABLE sc_tl_rooms (
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    room_type_id int,
    rmtypecode text,
    rmtypename text,
    netrmtypegroupcode text,
    netrmtypegroupname text,
    agtcode text,
    netagtrmtypecode text,
    netagtrmtypename text,
    isstockadjustable text
);

CREATE TABLE sc_tl_plans (
    hotel_id int NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    plans_global_id int,
    plans_hotel_id int,
    plan_key text,
    plangroupcode text,
    plangroupname text
);

CREATE TABLE acc_yayoi_data (
    batch_id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int,
    transaction_date date,
    debit_account_code text,
    credit_account_code text,
    debit_amount numeric,
    credit_amount numeric,
    summary text,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP
);

-- Noise: logs, queues and exchanges with other systems.
CREATE TABLE logs_user (
    id bigserial PRIMARY KEY,
    log_time timestamp DEFAULT CURRENT_TIMESTAMP,
    user_id int REFERENCES users (id),
    table_name text NOT NULL,
    action text NOT NULL,
    record_id text,
    changes jsonb
);
CREATE TABLE logs_hotel (LIKE logs_user INCLUDING DEFAULTS);
CREATE TABLE logs_clients (LIKE logs_user INCLUDING DEFAULTS);
CREATE TABLE logs_reservation (LIKE logs_user INCLUDING DEFAULTS);

CREATE TABLE logs_cron (
    id bigserial PRIMARY KEY,
    job_name text NOT NULL,
    start_time timestamp DEFAULT CURRENT_TIMESTAMP,
    end_time timestamp,
    status text NOT NULL,
    details jsonb
);
CREATE TABLE xml_requests (
    id bigserial PRIMARY KEY,
    sent_at timestamp DEFAULT CURRENT_TIMESTAMP,
    hotel_id int,
    name text NOT NULL,
    request text NOT NULL
);
CREATE TABLE xml_responses (
    id bigserial PRIMARY KEY,
    received_at timestamp DEFAULT CURRENT_TIMESTAMP,
    hotel_id int,
    name text NOT NULL,
    response text NOT NULL
);
CREATE TABLE ota_xml_queue (
    id bigserial PRIMARY KEY,
    hotel_id int,
    service_name text NOT NULL,
    xml_body text NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    retries int NOT NULL DEFAULT 0,
    last_error text,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    processed_at timestamp
);
CREATE TABLE google_sheets_queue (
    id bigserial PRIMARY KEY,
    hotel_id int,
    sheet_id text,
    check_in date,
    check_out date,
    status text NOT NULL DEFAULT 'pending',
    created_at timestamp DEFAULT CURRENT_TIMESTAMP
);

-- Each log table has ids, a key and a trigger function of its own.
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
        IF log_table <> 'logs_user' THEN
            EXECUTE format('CREATE SEQUENCE %I OWNED BY %I.id', log_table || '_id_seq', log_table);
            EXECUTE format('ALTER TABLE %1$I ALTER id SET DEFAULT nextval(%2$L), ADD PRIMARY KEY (id), '
                'ADD FOREIGN KEY (user_id) REFERENCES users (id)', log_table, log_table || '_id_seq');
        END IF;
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

-- The application calls this in the transaction that inserts the hotel. One family's leaves are named otherwise.
CREATE FUNCTION create_hotel_partitions(new_hotel int) RETURNS void LANGUAGE plpgsql AS $fn$
DECLARE
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['room_types', 'rooms', 'plans_hotel', 'addons_hotel', 'reservations',
            'reservation_details', 'reservation_clients', 'reservation_addons', 'reservation_rates',
            'reservation_payments', 'reservation_parking', 'invoices'] LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES IN (%s)',
            parent || CASE parent WHEN 'reservation_clients' THEN '_h' ELSE '_' END || new_hotel,
            parent, new_hotel);
    END LOOP;
END $fn$;
