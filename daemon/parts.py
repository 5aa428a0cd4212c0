"""The parts of Roomwire, of which a process runs all or some."""

from typing import Literal, get_args

Part = Literal["capture", "delivery", "api"]
PARTS: tuple[Part, ...] = get_args(Part)


class PartEndedError(Exception):
    """A part ended that never should: the others end too, rather than live on as half of Roomwire."""

    def __init__(self) -> None:
        super().__init__("A part of Roomwire ended though nobody stopped it. Start `roomwire run` again.")
