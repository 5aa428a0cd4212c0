"""A PMS to work against: its schema, a realistic seed, and a simulator of everybody who writes to it.

It speaks to PostgreSQL only, and knows nothing of Roomwire.
"""

from deploy.pms.install import install

__all__ = ["install"]
