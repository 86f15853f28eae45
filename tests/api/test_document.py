"""The OpenAPI document says what there is, the page shows it, and the copy in docs/ is the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service.api.document import as_text
from tests.api.conftest import Clinic, Door

if TYPE_CHECKING:
    from playwright.sync_api import Page

COPY = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_copy_is_the_live_document(clinic: Clinic, desk: Door) -> None:
    assert COPY.read_text(encoding="utf-8") == as_text(clinic.app), "Run `make document`."
    assert desk.get("/openapi.json").get_json() == json.loads(COPY.read_text(encoding="utf-8"))


def operations(clinic: Clinic) -> dict[tuple[str, str], dict[str, Any]]:
    """By path and method."""
    return {
        (path, method.upper()): operation
        for path, methods in json.loads(as_text(clinic.app))["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }


def test_every_route_is_in_it(clinic: Clinic) -> None:
    routes = {
        (rule.rule.replace("<id:", "{").replace(">", "}"), method)
        for rule in clinic.app.url_map.iter_rules()
        if rule.endpoint.startswith("api_")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == set(operations(clinic))


def test_every_operation_says_what_it_does_and_for_whom(clinic: Clinic) -> None:
    for where, operation in operations(clinic).items():
        assert operation["summary"] and operation["x-for"] and operation["tags"], where


def test_every_reference_leads_somewhere(clinic: Clinic) -> None:
    document = json.loads(as_text(clinic.app))

    def look(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(target := value.get("$ref"), str):
                found = document
                for step in target.removeprefix("#/").split("/"):
                    found = found[step]
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(document)


def test_the_page_loads_nothing_from_elsewhere(clinic: Clinic) -> None:
    page = clinic.app.test_client().get("/api/v1/docs").get_data(as_text=True)
    assert "//" not in page.replace("<!doctype", "")
    assert "<script>" not in page and " on" not in page.split("<body>")[1].split("<noscript>")[0]


@pytest.mark.journey
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_person_reads_it(
    environment: dict[str, str], start_web: Callable[[dict[str, str]], object], page: "Page"
) -> None:
    start_web(environment)
    page.goto(environment["SAMEHOUR_PUBLIC_URL"] + "/api/v1/docs")
    page.get_by_role("heading", name="samehour").wait_for()
    page.get_by_role("link", name="appointments", exact=True).click()
    page.get_by_text("/appointments/{appointment}/move").first.wait_for()
