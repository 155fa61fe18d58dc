"""The API against its own OpenAPI: whatever a caller sends, it never answers 500, and it keeps to its schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from rota.api.app import create_app
from tests.api.site import a_site, serving

schema = schemathesis.openapi.from_dict(create_app(a_site()).openapi()).exclude(path="/api/v1/events")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(a_site()) as where:
        yield where


@schema.parametrize()
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_api_never_answers_500_and_keeps_to_its_schema(case: schemathesis.Case, address: str) -> None:
    response = case.call(base_url=address, timeout=10)
    assert response.status_code < 500, response.text
    case.validate_response(response, checks=[status_code_conformance, response_schema_conformance])
