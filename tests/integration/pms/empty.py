"""An empty house: what the oracle's tests begin with."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg

TODAY = date(2026, 11, 23)
STAY = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER = "aaaaaaaa-0000-4000-8000-000000000002"
GUEST = "cccccccc-0000-4000-8000-000000000001"
LATIN = "cccccccc-0000-4000-8000-000000000002"
Connection = psycopg.Connection[tuple[Any, ...]]
