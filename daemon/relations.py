"""Which relations of the change stream are the PMS's followed tables, and which are noise.

wal2json names leaf partitions, and a new hotel brings new ones while the stream runs.
"""

from psycopg import AsyncConnection

from daemon.routes import route_everything
from daemon.transactions import Transaction
from sql.pms import tables


class Relations:
    """What is known of the relations; the decoder reads `roots` and `noise` while this adds to them."""

    def __init__(self) -> None:
        self.roots: dict[tuple[str, str], str] = {}
        self.noise: set[tuple[str, str]] = set()

    async def refresh(self, conn: AsyncConnection) -> None:
        """Read the catalogue again."""
        self.roots.update(await tables.leaves(conn))
        self.noise.update(await tables.noise(conn))

    async def name_unknown(self, conn: AsyncConnection, transactions: list[Transaction]) -> None:
        """Make whole hotels dirty where rows came from a relation that was unknown when they were decoded.

        The transactions must be visible. A followed leaf is a new hotel's; one that is gone again had old rows.
        """
        unknown = {item for transaction in transactions for item in transaction.unknown}
        if not unknown:
            return
        await self.refresh(conn)
        dirty = transactions[-1].keys()
        for schema, table, hotel_id in unknown:
            if (schema, table) not in self.noise:
                route_everything(dirty, hotel_id)
