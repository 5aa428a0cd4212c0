"""Pages without a script: what one may write in a description, and the frame around a page."""

import base64
import re
from hashlib import sha256
from html import escape
from pathlib import Path

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
_DIGEST = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of every page: its own style and nothing else."""
_CODE = re.compile(r"`([^`]+)`")


def page(title: str, body: str) -> bytes:
    """A whole page; body: HTML."""
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
    )
    return f"{head}<body><main>{body}</main></body></html>\n".encode()


def inline(text: str) -> str:
    """A text with `code` in it, as HTML."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def prose(text: str) -> str:
    """Paragraphs and lists (lines that begin with a dash), as HTML."""
    said = []
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        if all(line.startswith("- ") for line in lines):
            said.append("<ul>" + "".join(f"<li>{inline(line[2:])}</li>" for line in lines) + "</ul>")
        elif block:
            said.append(f"<p>{inline(' '.join(lines))}</p>")
    return "".join(said)
