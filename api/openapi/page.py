"""The document as a page to read."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import orjson

from api.openapi.fields import fields, type_of
from api.openapi.html import inline, page, prose

Part = Mapping[str, Any]


def render(document: Part) -> bytes:
    """The page: contents, then every operation by its tag, then the webhooks."""
    info = document["info"]
    body = [
        f"<h1>{escape(info['title'])}</h1>",
        f'<p class="soft">Version {escape(info["version"])} · <a href="openapi.json">openapi.json</a></p>',
        prose(info["description"]),
        _contents(document),
    ]
    for tag in document["tags"]:
        body.append(f"<h2>{escape(tag['name'])}</h2>{prose(tag['description'])}")
        body += [_operation(document, *found) for found in _operations(document, tag["name"])]
    body.append("<h2>Webhooks</h2><p>What endpoints are sent, signed as Standard Webhooks has it.</p>")
    body += [_webhook(document, name, item["post"]) for name, item in document["webhooks"].items()]
    return page(info["title"], "".join(body))


def _operations(document: Part, tag: str) -> Iterator[tuple[str, str, Part]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if tag in operation["tags"]:
                yield method, path, operation


def _contents(document: Part) -> str:
    lines = [
        f'<li><a href="#{operation["operationId"]}"><span class="method {method}">{method}</span>'
        f"<code>{escape(path)}</code></a></li>"
        for tag in document["tags"]
        for method, path, operation in _operations(document, tag["name"])
    ]
    lines += [
        f'<li><a href="#{item["post"]["operationId"]}"><span class="method hook">sent</span>'
        f"<code>{escape(name)}</code></a></li>"
        for name, item in document["webhooks"].items()
    ]
    return f"<nav aria-label='Contents'><ul>{''.join(lines)}</ul></nav>"


def _operation(document: Part, method: str, path: str, operation: Part) -> str:
    title = f'<span class="method {method}">{method}</span><code>{escape(path)}</code>'
    return _section(
        operation,
        title,
        _parameters(document, operation),
        _content(document, "Body", operation.get("requestBody", {})),
        *(_response(document, *found) for found in operation["responses"].items()),
    )


def _webhook(document: Part, name: str, operation: Part) -> str:
    title = f'<span class="method hook">sent</span><code>{escape(name)}</code>'
    return _section(operation, title, _content(document, "Body", operation["requestBody"]))


def _section(operation: Part, title: str, *parts: str) -> str:
    head = f'<section class="op" id="{operation["operationId"]}"><h3>{title}</h3>'
    summary = f"<p><strong>{inline(operation['summary'])}</strong></p>"
    return f"{head}{summary}{prose(operation['description'])}{''.join(parts)}</section>"


def _parameters(document: Part, operation: Part) -> str:
    components = document["components"]
    rows = []
    for one in operation["parameters"]:
        said = components["parameters"][one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one
        kind = f"{said['in']}, {type_of(said['schema'], components['schemas'])}"
        rows.append(_row(said["name"], kind, said["required"], said["description"]))
    return f'<h4>Parameters</h4><dl class="fields">{"".join(rows)}</dl>' if rows else ""


def _content(document: Part, title: str, said: Part) -> str:
    content = said.get("content", {}).get("application/json")
    if content is None:
        return ""
    schemas = document["components"]["schemas"]
    rows = [_row(f.path, f.type, f.required, f.description) for f in fields(content["schema"], schemas)]
    example = orjson.dumps(content["example"], option=orjson.OPT_INDENT_2).decode() if "example" in content else ""
    shown = f"<pre tabindex='0'>{escape(example)}</pre>" if example else ""
    listed = f'<details><summary>Fields</summary><dl class="fields">{"".join(rows)}</dl></details>' if rows else ""
    return f"<h4>{escape(title)}</h4>{shown}{listed}"


def _response(document: Part, status: str, said: Part) -> str:
    if "$ref" in said:
        said = document["components"]["responses"][said["$ref"].rsplit("/", 1)[1]]
    problems = said.get("content", {}).get("application/problem+json", {}).get("examples")
    if problems:
        links = ", ".join(f'<a href="problems/{code}"><code>{code}</code></a>' for code in problems)
        return f"<p><strong>{status}</strong> {links}</p>"
    title = f"{status} {said['description']}"
    return _content(document, title, said) or f"<p><strong>{status}</strong> {inline(said['description'])}</p>"


def _row(name: str, kind: str, required: bool, description: str) -> str:
    needed = "" if required else ", optional"
    term = f"<dt><code>{escape(name)}</code><small>{inline(kind)}{needed}</small></dt>"
    return f"{term}<dd>{inline(description)}</dd>"
