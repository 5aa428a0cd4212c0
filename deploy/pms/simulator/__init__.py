"""Staff, OTAs and nightly jobs at work on the PMS, at random: every way in which the PMS is written."""

from deploy.pms.simulator.desk import NothingToDoError
from deploy.pms.simulator.run import FLOWS, WEIGHTS, Simulator

__all__ = ["FLOWS", "WEIGHTS", "NothingToDoError", "Simulator"]
