-- A schema compatible with the hotel PMS that Roomwire works beside: what it reads, writes or has to survive.
-- Runs as an ordinary owner on PostgreSQL 15 and later, into an empty schema; rules.sql completes it.

CREATE TABLE users (
    id serial PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text,
    password_hash text,
    role_id int NOT NULL DEFAULT 5,
    status_id int NOT NULL DEFAULT 1,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int
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
    client_group_id uuid,
    website text,
    billing_preference text DEFAULT 'paper' CHECK (billing_preference IN ('paper', 'digital')),
    comment text,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int
);

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
    created_by int,
    updated_by int
);

CREATE TABLE room_types (
    id serial NOT NULL,
    hotel_id int NOT NULL,
    name text NOT NULL,
    description text,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int,
    PRIMARY KEY (hotel_id, id),
    UNIQUE (hotel_id, name)
) PARTITION BY LIST (hotel_id);

CREATE TABLE rooms (
    id serial NOT NULL,
    hotel_id int NOT NULL,
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
    created_by int,
    updated_by int,
    PRIMARY KEY (hotel_id, id),
    UNIQUE (hotel_id, room_type_id, room_number)
) PARTITION BY LIST (hotel_id);

CREATE TABLE plans_global (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE,
    description text,
    plan_type text NOT NULL DEFAULT 'per_room' CHECK (plan_type IN ('per_person', 'per_room')),
    color text DEFAULT '#D3D3D3',
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int
);

CREATE TABLE plans_hotel (
    id serial NOT NULL,
    hotel_id int NOT NULL,
    plans_global_id int,
    name text,
    description text,
    plan_type text CHECK (plan_type IN ('per_person', 'per_room')),
    color text,
    plan_type_category_id int NOT NULL,
    plan_package_category_id int NOT NULL DEFAULT 1,
    display_order int,
    is_active bool DEFAULT true,
    available_from date,
    available_until date,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int,
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);

CREATE TABLE hotel_plan_exclusions (
    hotel_id int NOT NULL,
    global_plan_id int NOT NULL,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (hotel_id, global_plan_id)
);

CREATE TABLE plans_rates (
    id serial PRIMARY KEY,
    hotel_id int,
    plans_global_id int,
    plans_hotel_id int,
    adjustment_type text NOT NULL CHECK (adjustment_type IN ('base_rate', 'percentage', 'flat_fee')),
    include_in_cancel_fee bool NOT NULL DEFAULT false,
    adjustment_value numeric(10, 2) NOT NULL,
    tax_type_id int,
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
    created_by int,
    updated_by int,
    CHECK ((plans_global_id IS NULL) <> (plans_hotel_id IS NULL))
);

CREATE TABLE addons_global (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE,
    description text,
    addon_type text NOT NULL DEFAULT 'other'
        CHECK (addon_type IN ('breakfast', 'lunch', 'dinner', 'parking', 'other')),
    price numeric(10, 2) NOT NULL DEFAULT 0,
    tax_type_id int,
    tax_rate numeric(12, 4),
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int
);

CREATE TABLE addons_hotel (
    id serial NOT NULL,
    hotel_id int NOT NULL,
    addons_global_id int,
    name text NOT NULL,
    description text,
    addon_type text NOT NULL DEFAULT 'other'
        CHECK (addon_type IN ('breakfast', 'lunch', 'dinner', 'parking', 'other')),
    price numeric(10, 2) NOT NULL DEFAULT 0,
    tax_type_id int,
    tax_rate numeric(12, 4),
    visible bool NOT NULL DEFAULT true,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int,
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);

CREATE TABLE plan_addons (
    id serial PRIMARY KEY,
    hotel_id int,
    plans_global_id int,
    plans_hotel_id int,
    addons_global_id int,
    addons_hotel_id int,
    addon_type text NOT NULL DEFAULT 'other',
    price numeric(10, 2) NOT NULL DEFAULT 0,
    tax_type_id int,
    tax_rate numeric(12, 4),
    date_start date,
    date_end date,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int
);

CREATE TABLE reservations (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL,
    reservation_client_id uuid NOT NULL,
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
    created_by int,
    updated_by int,
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);

CREATE TABLE reservation_details (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL,
    reservation_id uuid NOT NULL,
    date date NOT NULL,
    room_id int,
    plans_global_id int,
    plans_hotel_id int,
    plan_name text,
    plan_type text NOT NULL DEFAULT 'per_room' CHECK (plan_type IN ('per_person', 'per_room')),
    number_of_people int NOT NULL,
    price numeric,
    cancelled uuid,
    billable bool DEFAULT false,
    is_accommodation bool DEFAULT true,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int,
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);

CREATE TABLE reservation_clients (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL,
    reservation_details_id uuid NOT NULL,
    client_id uuid NOT NULL,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int,
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);

CREATE TABLE reservation_addons (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL,
    reservation_detail_id uuid NOT NULL,
    addons_global_id int,
    addons_hotel_id int,
    addon_name text,
    addon_type text CHECK (addon_type IN ('breakfast', 'lunch', 'dinner', 'parking', 'other')),
    quantity int NOT NULL DEFAULT 1,
    price numeric NOT NULL DEFAULT 0,
    tax_type_id int,
    tax_rate numeric(12, 4),
    net_price numeric GENERATED ALWAYS AS (
        price - floor(price * (CASE WHEN tax_rate > 1 THEN tax_rate / 100 ELSE coalesce(tax_rate, 0) END)
            / (1 + (CASE WHEN tax_rate > 1 THEN tax_rate / 100 ELSE coalesce(tax_rate, 0) END)))
    ) STORED,
    sales_category text DEFAULT 'accommodation' CHECK (sales_category IN ('accommodation', 'other')),
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int,
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);

CREATE TABLE reservation_rates (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL,
    reservation_details_id uuid NOT NULL,
    adjustment_type text NOT NULL CHECK (adjustment_type IN ('base_rate', 'percentage', 'flat_fee')),
    adjustment_value numeric(10, 2) NOT NULL,
    include_in_cancel_fee bool NOT NULL DEFAULT false,
    tax_type_id int,
    tax_rate numeric(12, 4),
    price numeric(12, 0) NOT NULL,
    net_price numeric(12, 0) GENERATED ALWAYS AS (
        price - floor(price * (CASE WHEN tax_rate > 1 THEN tax_rate / 100 ELSE coalesce(tax_rate, 0) END)
            / (1 + (CASE WHEN tax_rate > 1 THEN tax_rate / 100 ELSE coalesce(tax_rate, 0) END)))
    ) STORED,
    sales_category text DEFAULT 'accommodation' CHECK (sales_category IN ('accommodation', 'other')),
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int,
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);

CREATE TABLE reservation_payments (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL,
    reservation_id uuid NOT NULL,
    date date NOT NULL,
    room_id int,
    client_id uuid,
    payment_type_id int NOT NULL,
    value numeric,
    comment text,
    invoice_id uuid,
    receipt_id uuid,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int,
    updated_by int,
    PRIMARY KEY (hotel_id, id)
) PARTITION BY LIST (hotel_id);

-- Tables without a primary key: a publication FOR ALL TABLES makes their updates and deletes fail.
CREATE TABLE reservation_parking (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    hotel_id int NOT NULL,
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
    created_by int,
    updated_by int
) PARTITION BY LIST (hotel_id);

CREATE TABLE invoices (
    id uuid NOT NULL,
    hotel_id int NOT NULL,
    date date NOT NULL,
    client_id uuid,
    invoice_number text,
    status text DEFAULT 'draft',
    display_name text,
    due_date date,
    total_stays int,
    comment text,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    created_by int
) PARTITION BY LIST (hotel_id);

CREATE TABLE sc_tl_rooms (
    hotel_id int NOT NULL,
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
    hotel_id int NOT NULL,
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

-- Noise: queues and exchanges with other systems.
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
