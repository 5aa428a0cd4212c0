"""What limits a figure that does not meet its budget: what profiles of the database and the process showed."""

LIMITS = {
    "catchup": (
        "The one database session that computes documents takes two thirds of all CPU, and three statements most"
        " of that: counting nights (`pms/nights.sql`), booking documents (`write` in `projection.sql`), and noting"
        " what they were computed from (`renew_seen`). The cost is that of each key: batches of 600 ms instead of"
        " 150 ms spared a tenth of it. Roomwire's process, which decodes, takes a quarter."
    ),
    "latency": (
        "The PMS, its load generator, the server, Roomwire and the receiver share the machine's cores, so that"
        " waiting for a core is part of every step."
    ),
    "memory": "The rows and keys that are held of one transaction before they become durable work on whole hotels.",
    "harm": (
        "The cores: at full rate the PMS takes all there are, and whatever follows it takes its share from there."
        " The figure with the server's own pg_recvlogical is what decoding the log alone costs."
    ),
    "delivery": (
        "Roomwire's process, which composes, signs, sends and acknowledges every message; the database takes"
        " about a third as much CPU, and the receiver shares the same cores."
    ),
    "down": (
        "The healthy endpoint's delay is that of every message (see latency). Capture's memory is that of the keys"
        " that wait; nothing of it depends on how long an endpoint is away."
    ),
    "api": (
        "Roomwire's one process for calendars, of whose time a third is the HTTP library's; for stays, it and its"
        " database sessions alike. The callers share the machine's cores with both, so that waiting for a core is"
        " part of an answer's time."
    ),
    "idle": "The looks at the database each second, by capture and delivery, and the server's own background work.",
}
