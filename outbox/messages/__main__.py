"""`python -m outbox.messages`: writes docs/MESSAGES.md, or the page named as argument."""

import sys
from pathlib import Path

from outbox.messages.reference import render

Path(sys.argv[1] if len(sys.argv) > 1 else "docs/MESSAGES.md").write_text(render(), encoding="utf-8")
