"""`roomwire demo`: a PMS with staff at work, Roomwire beside it, and a booking engine's page that shows it all.

It uses Roomwire as its users do, by command line and webhook, and imports nothing of it.
"""

from deploy.demo.program import run_demo

__all__ = ["run_demo"]
