"""The message contract and its page."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from outbox.messages import KINDS, parse
from outbox.messages.examples import EXAMPLES
from outbox.messages.reference import render
from tests.unit.outbox.samples import as_json

PAGE = Path(__file__).parents[3] / "docs" / "MESSAGES.md"


def test_the_page_is_what_the_models_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run `python -m outbox.messages`"


def test_every_kind_has_an_example_and_every_example_a_kind() -> None:
    assert {type(parse(as_json(example))) for example in EXAMPLES.values()} == set(KINDS)
    assert {parse(as_json(example)).type for example in EXAMPLES.values()} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_stands_on_the_page_and_reads_back(name: str) -> None:
    message = parse(as_json(EXAMPLES[name]))
    assert message.type == name
    assert f"### `{name}`" in PAGE.read_text(encoding="utf-8")


def test_every_field_is_described() -> None:
    def missing(model: type[BaseModel]) -> list[str]:
        return [
            f"{model.__name__}.{name}"
            for name, field in model.model_fields.items()
            if name != "data" and not field.description
        ]

    models = {model for kind in KINDS for model in _all_models(kind)}
    assert [line for model in models for line in missing(model)] == []


def _all_models(model: type[BaseModel]) -> set[type[BaseModel]]:
    found = {model}
    for field in model.model_fields.values():
        for inner in _models_in(field.annotation):
            found |= _all_models(inner)
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]


def test_a_word_of_the_pms_that_nobody_knows_is_passed_on() -> None:
    example = EXAMPLES["booking.updated"]
    parse(as_json(example | {"data": example["data"] | {"status": "no_show", "payment_timing": "crypto"}}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"surprise": 1},
        {"total": "27,400"},
        {"version": 0},
        {"nights": None},
        {"check_in": "30.12.2026"},
    ],
)
def test_a_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    example = EXAMPLES["booking.created"]
    with pytest.raises(ValidationError):
        parse(as_json(example | {"data": example["data"] | wrong}))


def test_a_message_cannot_be_changed() -> None:
    message = parse(as_json(EXAMPLES["heartbeat"]))
    with pytest.raises(ValidationError):
        message.type = "hotel.updated"  # type: ignore[misc]  # that is the point
