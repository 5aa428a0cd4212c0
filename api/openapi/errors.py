"""`python -m api.openapi.errors`: writes docs/ERRORS.md, or the page named as argument. Also each code's page."""

import sys
from html import escape
from pathlib import Path

import orjson

from api.openapi.html import inline, page
from api.request.codes import CODES
from api.request.problems import Problem

_HEAD = """\
# Errors

<!-- Written by `python -m api.openapi.errors`; change api/request/codes.py instead. -->

Every error of the API is `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)):
look at `code`, show `detail` to a person, and name `request_id` when you ask the operator. `errors` points to the
fields that are wrong. `type` is the address of a page that says what stands here.

| code | status | what happened | what to do |
|---|---|---|---|
"""


def render() -> str:
    """The whole page."""
    return _HEAD + "".join(
        f"| `{code}` | {kind.status} | {kind.meaning} | {kind.remedy} |\n"
        for code, kind in sorted(CODES.items(), key=lambda one: (one[1].status, one[0]))
    )


def explain(code: str) -> bytes:
    """The page of one code."""
    kind = CODES[code]
    example = orjson.dumps(Problem(code).body(), option=orjson.OPT_INDENT_2).decode()
    return page(
        f"{code}: {kind.title}",
        f'<p class="soft">{kind.status} <code>{code}</code></p><h1>{escape(kind.title)}</h1>'
        f"<h4>What happened</h4><p>{inline(kind.meaning)}</p><h4>What to do</h4><p>{inline(kind.remedy)}</p>"
        f"<pre tabindex='0'>{escape(example)}</pre><p><a href='../docs'>All of the API</a></p>",
    )


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/ERRORS.md").write_text(render(), encoding="utf-8")
