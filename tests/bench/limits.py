"""What limits a figure that does not meet its budget: what profiles showed."""

LIMITS = dict.fromkeys(("catchup", "latency", "memory", "harm", "delivery", "idle"), "")
