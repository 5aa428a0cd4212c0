"""The webhooks of the document: every message that endpoints are sent."""

from collections.abc import Mapping
from inspect import getdoc
from typing import Any, get_args

from outbox.messages.examples import EXAMPLES
from outbox.messages.kinds import KINDS

MODELS = KINDS
_STRING = {"type": "string"}
_HEADERS = {
    "webhook-id": "The same for the same content over every retry.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "`v1,` and the HMAC-SHA256 in base64 of `{webhook-id}.{webhook-timestamp}.{raw body}`.",
}


def webhooks(found: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    """A webhook for each kind of message; found: (model, "serialization") → its schema."""
    return {name(model): {"post": _post(model, found[model, "serialization"])} for model in KINDS}


def name(model: type[Any]) -> str:
    """A message's type."""
    (word,) = get_args(model.model_fields["type"].annotation)
    return str(word)


def _post(model: type[Any], schema: dict[str, Any]) -> dict[str, Any]:
    kind = name(model)
    summary, _, rest = (getdoc(model) or "").partition("\n")
    return {
        "operationId": f"on_{kind.replace('.', '_')}",
        "summary": summary,
        "description": rest.strip(),
        "security": [],
        "parameters": [
            {"name": header, "in": "header", "required": True, "description": text, "schema": _STRING}
            for header, text in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": EXAMPLES[kind]}},
        },
        "responses": {
            "2XX": {"description": "You have it."},
            "410": {"description": "You want nothing more: the endpoint is disabled."},
            "4XX": {"description": "You do not take this content: it comes again a few times."},
            "5XX": {"description": "An outage: everything pauses and comes later."},
        },
    }
