"""A booking engine in small: it receives webhooks and knows nothing but what they say."""

from tests.support.mirror.compare import differences
from tests.support.mirror.process import MirrorProcess
from tests.support.mirror.receiver import Receiver
from tests.support.mirror.state import Mirror, Violation

__all__ = ["Mirror", "MirrorProcess", "Receiver", "Violation", "differences"]
