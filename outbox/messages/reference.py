"""Writes docs/MESSAGES.md from the models: what every message says, field by field, with an example of each."""

import json
from collections.abc import Iterator
from typing import Any

from outbox.messages.examples import EXAMPLES
from outbox.messages.kinds import KINDS

_INTRODUCTION = """\
# Messages

<!-- Written by `python -m outbox.messages`; change the models in outbox/messages/ instead. -->

Roomwire sends each message as one `POST` with a JSON body `{"type", "timestamp", "data"}`, signed as
[Standard Webhooks](https://www.standardwebhooks.com/) has it.

| header | |
|---|---|
| `webhook-id` | The same for the same content over every retry: drop what you have already taken. |
| `webhook-timestamp` | When this attempt was made, in seconds since 1970. |
| `webhook-signature` | Signatures of `{webhook-id}.{webhook-timestamp}.{raw body}`, with a space between them. |

Headers that your operator has added, such as a token for your gateway, come along.

## Signatures

| begins with | is | is verified with |
|---|---|---|
| `v1,` | HMAC-SHA256, in base64 | the secret, `whsec_` and 24 to 64 bytes in base64 |
| `v1a,` | Ed25519, in base64 | the public key, `whpk_` and 32 bytes in base64 |

- Verify over the raw bytes of the body, before parsing them: JSON that was parsed and written again does not match.
- Take a message if any one of its signatures is right: after `roomwire endpoint rotate` the secret before signs
  beside the new one for a day, or as long as the operator says. Put in the new secret within that time, and nothing
  is lost.
- Refuse a `webhook-timestamp` more than five minutes away, or what somebody has overheard could be sent again.
- An endpoint has signatures of one kind, whichever it was added with: HMAC, or by `--sign ed25519` a key pair, of
  which you hold only what verifies. `roomwire endpoint show` tells the public key at any time; a secret is shown
  once.

## What your endpoint answers

| answer | what follows |
|---|---|
| 2xx | You have it. Answer within 15 seconds, when it is stored. |
| 410 | You want nothing more: the endpoint is disabled. |
| 429, 502, 504 | Everything pauses, as long as `Retry-After` says (at most ten minutes). |
| any other 4xx, but 408 | You do not take this content: it comes again after 5 s, 30 s, 2, 10 and 30 minutes, \
then stays listed until it changes or an operator sends it again. |
| anything else, or nothing | An outage: everything pauses, at first for a second, at most for 15. |

Redirects are not followed. During a pause nothing is lost and nothing piles up: afterwards you get the newest
state of whatever has changed.

## How to apply messages

- Every message says what *is*, never what was done. Take the newest and forget the rest.
- Each hotel, room type, plan, booking and night has a **version** that only rises, and so have the rates of a plan.
  Apply what is not older than what you hold; deleted things keep their version too.
- Messages may come more than once and, for different things, in any order. Insert or update on every `created`,
  `updated` and `cancelled`, and accept references to what you do not know yet.
- A new endpoint gets everything once (hotels, room types, plans, rates, availability, bookings) and then, for each
  hotel, `hotel.snapshot`: what you hold with its version or an older one and it does not list is gone. The rates of
  a plan live and go with the plan.
- Dates are the hotel's local ones, ranges of nights end with the day of departure, money is in whole yen with tax.
- Words of the PMS, such as a booking's status, are passed on as they are: expect ones that are not listed here.
- Messages of several room types stay under 20 kB unless the endpoint is set to take more; a single thing may come
  to 256 kB.
"""


def render() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, "## All messages", "", *_contents(), *_sections()])


def _contents() -> Iterator[str]:
    yield "| type | |"
    yield "|---|---|"
    for kind in KINDS:
        name = _name(kind)
        yield f"| [`{name}`](#{name.replace('.', '')}) | {_paragraphs(kind)[0]} |"
    yield ""


def _sections() -> Iterator[str]:
    for kind in KINDS:
        name = _name(kind)
        yield f"### `{name}`"
        yield ""
        for paragraph in _paragraphs(kind):
            yield paragraph
            yield ""
        yield from _fields(kind)
        yield "```json"
        yield json.dumps(EXAMPLES[name], ensure_ascii=False, indent=2)
        yield "```"
        yield ""


def _name(kind: Any) -> str:
    return str(kind.model_fields["type"].annotation.__args__[0])


def _paragraphs(kind: Any) -> list[str]:
    text = (kind.__doc__ or "").strip()
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def _fields(kind: Any) -> Iterator[str]:
    schema = kind.model_json_schema(mode="validation")
    yield "| field of `data` | type | |"
    yield "|---|---|---|"
    data = _resolved(schema["properties"]["data"], schema)
    for path, field in _walk(data, schema, ""):
        text = field.get("description", "").replace("|", "\\|")
        yield f"| `{path}` | {_type(field, schema)} | {text} |"
    yield ""


def _walk(shape: dict[str, Any], schema: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field below an object, with its path; `[]` marks the entries of a list."""
    for name, field in shape["properties"].items():
        path = f"{prefix}{name}"
        yield path, field
        inner, mark = _inner(field, schema)
        if inner:
            yield from _walk(inner, schema, f"{path}{mark}.")


def _inner(field: dict[str, Any], schema: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The object that a field or its entries hold, if any."""
    for choice in field.get("anyOf", [field]):
        entry, mark = (choice["items"], "[]") if choice.get("type") == "array" else (choice, "")
        resolved = _resolved(entry, schema)
        if "properties" in resolved:
            return resolved, mark
    return None, ""


def _resolved(field: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in field:
        found: dict[str, Any] = schema["$defs"][field["$ref"].rsplit("/", 1)[1]]
        return found
    return field


def _type(field: dict[str, Any], schema: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(choice, schema) for choice in field["anyOf"])
    if field.get("type") == "array":
        return f"list of {_type(field['items'], schema)}"
    plain: str = _resolved(field, schema).get("type", "any")
    return {"date": "date", "date-time": "time"}.get(field.get("format", ""), plain)
