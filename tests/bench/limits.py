"""What limits a figure that does not meet its budget: what profiles of the database and the process showed."""

LIMITS = {
    "catchup": (
        "One database session at a time computes documents, in one transaction per batch. About half of its time"
        " goes into booking documents (`write` in `projection.sql`: guests and add-ons are looked up night by"
        " night), a quarter into counting nights (`pms/nights.sql`), a fifth into noting what bookings were"
        " computed from (`renew_seen`); a document costs it 0.13 to 0.18 ms. Larger batches cost less per change,"
        " for more of their keys are the same; but creating a hotel has to wait for a batch's end, so none is let"
        " grow over 150 ms. The session, Roomwire's process, which decodes, and the server's decoding share the"
        " cores."
    ),
    "latency": (
        "Capture waits three times for the database in a batch of one change, once more where ids have to be"
        " looked up, delivery three times for a message, and each waits for a core: the PMS, its load generator,"
        " the server, Roomwire and the receiver share them. A batch of one booking costs the session about ten"
        " times what one booking more adds to it: a statement opens every partition that it might look into."
    ),
    "memory": (
        "The keys that are held of one transaction before they become durable work on whole hotels, and the"
        " parameters of the statements that take them."
    ),
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
        " database sessions alike. A booking takes some 7 ms of CPU, capture of it included: a good half of it is"
        " the process's (ten statements, the models, the prices), the rest its sessions', of which half are the"
        " PMS's own foreign keys and log triggers. The callers share the two cores."
    ),
    "idle": "The looks at the database each second, by capture and delivery, and the server's own background work.",
}
