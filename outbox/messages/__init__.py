"""The message contract: what a webhook's body says, as models that receivers and tests can read it with."""

from outbox.messages.kinds import KINDS, AnyMessage, parse

__all__ = ["KINDS", "AnyMessage", "parse"]
