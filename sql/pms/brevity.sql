What every transaction begins with that writes into the PMS.

-- name: act_as
-- Tells the PMS's triggers who writes, and bounds how long anybody may have to wait for this transaction; see brevity.py.
select concat(
    set_config('my_app.user_id', %(user)s::text, true),
    set_config('lock_timeout', '50ms', true),
    set_config('statement_timeout', concat(200 + %(more)s::int, 'ms'), true),
    set_config('idle_in_transaction_session_timeout', '95ms', true),
    set_config('client_connection_check_interval', '50ms', true),
    case when current_setting('server_version_num')::int >= 170000
        then set_config('transaction_timeout', concat(390 + %(more)s::int, 'ms'), true) end)
