"""A JSON Schema as a flat list of fields, for reading."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DEEPEST = 4
_LIMITS = {
    "minimum": "≥",
    "maximum": "≤",
    "exclusiveMinimum": ">",
    "minLength": "length ≥",
    "maxLength": "length ≤",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. path: with dots, and `[]` after a list; type: in words."""

    path: str
    type: str
    required: bool
    description: str


def fields(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], prefix: str = "", deep: int = 0
) -> Iterator[Field]:
    """The fields of an object and of the objects in it."""
    for shape in _shapes(schema, schemas):
        for name, one in shape.get("properties", {}).items():
            path = f"{prefix}{name}"
            required = name in shape.get("required", ())
            yield Field(path, type_of(one, schemas), required, one.get("description", ""))
            inner, mark = _inner(one, schemas)
            if inner is not None and deep < _DEEPEST:
                yield from fields(inner, schemas, f"{path}{mark}.", deep + 1)


def type_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """A type in words, with its limits."""
    schema = _resolved(schema, schemas)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(type_of(choice, schemas) for choice in choices))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}), schemas)}"
    word = schema.get("format") or schema.get("type", "any")
    limits = [f"{sign} {schema[key]}" for key, sign in _LIMITS.items() if key in schema]
    return ", ".join([str(word), *limits])


def _shapes(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The objects that a schema may be."""
    found = _resolved(schema, schemas)
    choices = found.get("anyOf") or found.get("oneOf")
    if choices:
        for choice in choices:
            yield from _shapes(choice, schemas)
    elif "properties" in found:
        yield found


def _inner(field: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """The object that a field or its entries hold, if any."""
    for choice in _resolved(field, schemas).get("anyOf", [field]):
        found = _resolved(choice, schemas)
        entry, mark = (found.get("items", {}), "[]") if found.get("type") == "array" else (found, "")
        if next(_shapes(entry, schemas), None) is not None:
            return entry, mark
    return None, ""


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        found: Mapping[str, Any] = schemas[schema["$ref"].rsplit("/", 1)[1]]
        return found
    return schema
