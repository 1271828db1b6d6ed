import json

import pytest
from django.test import Client as HTTP


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
