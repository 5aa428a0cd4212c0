"""The parts of Roomwire, of which a process runs all or some."""

from typing import Literal, get_args

Part = Literal["capture", "delivery", "api"]
PARTS: tuple[Part, ...] = get_args(Part)
