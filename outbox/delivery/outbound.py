"""What an operator has set for sending to endpoints, whichever it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from outbox.delivery.addresses import Network
from outbox.delivery.names import Names
from outbox.secrets import Secrets, SecretsError

NO_KEYS = (
    "ROOMWIRE_SECRET_KEYS is not set, and what is secret of an endpoint is stored encrypted;"
    " `roomwire key secret` makes one, to be set for every process"
)


@dataclass(frozen=True, slots=True)
class Outbound:
    """What an operator has set for all endpoints.

    keys: what their secrets are encrypted with, None where nothing is set; allowed: networks that may be sent to
    though they are not public, also in clear; time_zone: the hotels'; names: finds endpoints' addresses for all who
    share this, within one bound.
    """

    keys: Secrets | None = field(default=None, repr=False)
    allowed: Sequence[Network] = ()
    time_zone: str = "Asia/Tokyo"
    names: Names = field(default_factory=Names, repr=False, compare=False)

    @property
    def secrets(self) -> Secrets:
        """What their secrets are encrypted with.

        Raises:
            SecretsError: nothing is set; the message says what to do.
        """
        if self.keys is None:
            raise SecretsError(NO_KEYS)
        return self.keys
