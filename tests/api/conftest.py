import importlib.util
import json

import pytest
from django.test import Client as HTTP
from django.test.client import ClientHandler


class Members(dict):
    """The members of an answer, and its status."""

    status = 0


@pytest.fixture
def http():
    """POST members with an API token; the members of the answer."""

    def send(path, members, api_token, **headers):
        headers = {"Authorization": f"Bearer {api_token}"} | headers
        response = HTTP().post(path, members, content_type="application/json", headers=headers)
        answer = Members(json.loads(response.content))
        answer.status = response.status_code
        return answer

    return send


@pytest.fixture(autouse=True)
def every_answer_is_in_the_document(monkeypatch):
    """The OpenAPI document knows each answer that these tests get, with its members and its code."""
    if importlib.util.find_spec("drf_spectacular") is None:
        return
    from ..openapi.judging import judge_response

    get_response = ClientHandler.get_response

    def judged(self, request):
        response = get_response(self, request)
        judge_response(request, response)
        return response

    monkeypatch.setattr(ClientHandler, "get_response", judged)
