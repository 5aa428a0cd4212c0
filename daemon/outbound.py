"""What the settings say of sending to endpoints."""

from api.access.addresses import parse_networks
from daemon.settings import Settings, split
from outbox.delivery.outbound import Outbound
from outbox.secrets import Secrets


def outbound(settings: Settings) -> Outbound:
    """The one that deliveries, the API and the commands share."""
    keys = Secrets(split(settings.secret_keys)) if settings.secret_keys else None
    return Outbound(keys, parse_networks(settings.allowed_networks), settings.time_zone)
