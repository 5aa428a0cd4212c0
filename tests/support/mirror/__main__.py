"""`python -m tests.support.mirror`: reads {"secret": …} from standard input, prints its port, serves until EOF."""

import asyncio
import json
import sys

from tests.support.mirror.process import serve

asyncio.run(serve(json.loads(sys.stdin.readline())["secret"]))
