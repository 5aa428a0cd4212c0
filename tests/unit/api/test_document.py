"""The OpenAPI document: valid, complete, its examples true."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from openapi_spec_validator import validate

from api.app import ROUTES
from api.openapi.document import document
from api.openapi.fields import fields
from api.openapi.page import render
from api.request.routing import Nothing, Route
from outbox.messages.kinds import KINDS

DOCUMENT = document(ROUTES)
SCHEMAS = DOCUMENT["components"]["schemas"]


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{method} {path}", said) for path, item in DOCUMENT["paths"].items() for method, said in item.items()]


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(DOCUMENT)


def test_every_reference_leads_somewhere() -> None:
    found = set(re.findall(r"'#/components/(\w+)/([^']+)'", str(DOCUMENT)))
    assert {name for kind, name in found if kind == "schemas"} <= set(SCHEMAS)
    for kind, name in found:
        assert name in DOCUMENT["components"][kind]
    unused = set(SCHEMAS) - {name for kind, name in found if kind == "schemas"}
    assert not unused


def test_every_path_parameter_is_described() -> None:
    for path, item in DOCUMENT["paths"].items():
        for said in item.values():
            named = {one["name"] for one in said["parameters"] if one.get("in") == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), path


def test_operation_ids_and_schema_names_are_plain_and_unique() -> None:
    names = [said["operationId"] for _, said in operations()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)
    assert not [name for name in SCHEMAS if "__" in name], "two models share a name"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_examples_are_true_to_their_models(route: Route) -> None:
    if route.body is not Nothing:
        assert route.body_example is not None
        route.body.model_validate(route.body_example)
    for answer in route.returns.values():
        if answer.model is not None:
            assert answer.example is not None, f"{route.name} has no example"
            answer.model.model_validate(answer.example)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_path_parameter_has_an_example(route: Route) -> None:
    said = DOCUMENT["paths"][route.path][route.method.lower()]
    assert all("example" in one for one in said["parameters"] if one.get("in") == "path")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_links_lead_to_operations_with_such_parameters(route: Route) -> None:
    for links in route.links.values():
        for link in links.values():
            (target,) = [said for _, said in operations() if said["operationId"] == link.operation]
            known = {one.get("name") for one in target["parameters"]}
            known |= {
                DOCUMENT["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]]["name"]
                for one in target["parameters"]
                if "$ref" in one
            }
            assert {name.rsplit(".", 1)[-1] for name in link.parameters} <= known


def test_every_message_is_a_webhook() -> None:
    assert len(DOCUMENT["webhooks"]) == len(KINDS)
    for name, item in DOCUMENT["webhooks"].items():
        assert item["post"]["requestBody"]["content"]["application/json"]["example"]["type"] == name


def test_every_field_that_a_caller_sees_is_described() -> None:
    bare = [
        f"{where}: {one.path}"
        for where, said in operations()
        for part in (said.get("requestBody", {}), *said["responses"].values())
        for content in part.get("content", {}).values()
        for one in fields(content["schema"], SCHEMAS)
        if not one.description
    ]
    assert not bare


class Tags(HTMLParser):
    """Collects what a page refers to, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.refers: list[str] = []
        self.ids: set[str] = set()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"href", "src", "action"}:
                self.refers.append(value or "")
            if name == "id":
                self.ids.add(value or "")
            assert not name.startswith("on")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_no_script_and_nothing_from_elsewhere() -> None:
    text = render(DOCUMENT).decode()
    page = Tags()
    page.feed(text)
    assert page.open == []
    assert not page.names & {"script", "link", "img", "iframe"}
    assert "url(" not in text
    assert "@import" not in text
    for address in page.refers:
        assert "//" not in address
        if address.startswith("#"):
            assert address[1:] in page.ids
    assert {said["operationId"] for _, said in operations()} <= page.ids


def says(schema: dict[str, Any], name: str) -> bool:
    """Whether every answer of a schema has this member, and must have it."""
    if "$ref" in schema:
        return says(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]], name)
    if "anyOf" in schema:
        return all(says(one, name) for one in schema["anyOf"])
    return name in schema.get("required", ())


@pytest.mark.parametrize("member", ["as_of", "stale"])
def test_every_answer_about_availability_or_price_says_how_fresh_it_is(member: str) -> None:
    answers = {
        (name, status): answer["content"]["application/json"]["schema"]
        for name, said in operations()
        if {"Availability", "Bookings"} & set(said["tags"])
        for status, answer in said["responses"].items()
        if status in {"200", "201"}
    }
    assert len(answers) == 9
    assert [name for name, schema in answers.items() if not says(schema, member)] == []


def test_every_list_is_read_in_pages_of_the_same_kind() -> None:
    limits = {
        name: given["schema"] | {"description": given["description"]}
        for name, said in operations()
        for given in said.get("parameters", ())
        if given.get("name") == "limit"
    }
    assert len(limits) == 5
    (first, *others) = limits.values()
    assert all(one == first for one in others), limits
    assert (first["maximum"], first["default"]) == (250, 100)
