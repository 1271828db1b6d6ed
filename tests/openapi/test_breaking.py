"""The last release's document is kept, and what would break its clients is reported."""

import copy

import pytest
import yaml

from .breaking import breaks
from .written import PAGE, RELEASED

ACCEPTED = set()
"""Breaks that the next release makes knowingly. CHANGELOG.md says what to do about each."""


@pytest.fixture(scope="module")
def now():
    return yaml.load(PAGE.read_text(), yaml.CSafeLoader)


def test_nothing_breaks_the_clients_of_the_last_release(now):
    released = yaml.load(RELEASED.read_text(), yaml.CSafeLoader)
    assert set(breaks(released, now)) == ACCEPTED


def create(document):
    return document["paths"]["/api/{serviceId}/grants"]["post"]


def schemas(document):
    return document["components"]["schemas"]


def gone(document):
    del document["paths"]["/api/{serviceId}/grants"]


def parameter_needed(document):
    create(document)["parameters"].append({"in": "query", "name": "dry", "required": True})


def parameter_gone(document):
    create(document)["parameters"].pop()


def member_needed(document):
    schemas(document)["CreateGrantRequest"]["required"] = ["subject"]


def member_gone(document):
    del schemas(document)["CreateGrantRequest"]["properties"]["subject"]


def other_type(document):
    schemas(document)["CreateGrantRequest"]["properties"]["subject"]["type"] = "integer"


def value_refused(document):
    schemas(document)["ListGrantsRequest"]["properties"]["status"]["enum"].remove("revoked")


def answer_gone(document):
    del schemas(document)["Grant"]["properties"]["grantId"]


def answer_may_lack(document):
    schemas(document)["Grant"]["required"].remove("grantId")


def deep_in_an_answer(document):
    items = schemas(document)["Grant"]["properties"]["scopes"]["items"]
    items["properties"]["scope"]["type"] = "array"


def status_gone(document):
    create(document)["responses"]["201"] = create(document)["responses"].pop("200")


def body_of_another_type(document):
    content = create(document)["requestBody"]["content"]
    content["application/x-www-form-urlencoded"] = content.pop("application/json")


def webhook_gone(document):
    del document["webhooks"]["grant.revoked"]


def webhook_lacks(document):
    body = document["webhooks"]["grant.revoked"]["post"]["requestBody"]["content"]
    body["application/json"]["schema"]["required"].remove("timestamp")


def subject(document):
    return schemas(document)["CreateGrantRequest"]["properties"]["subject"]


def text_of_few(document):
    subject(document)["enum"] = ["user-1"]


def text_shorter(document):
    subject(document)["maxLength"] = 10


def text_longer(document):
    subject(document)["minLength"] = 5


def text_of_a_form(document):
    subject(document)["pattern"] = "^[a-z]+$"


def number_smaller(document):
    schemas(document)["ListGrantsRequest"]["properties"]["limit"]["maximum"] = 5


def constant(document):
    subject(document)["const"] = "user-1"


def closed(document):
    schemas(document)["CreateGrantRequest"]["additionalProperties"] = False


def body_needed(document):
    operation = document["paths"]["/api/{serviceId}/descriptions/list"]["post"]
    operation["requestBody"]["required"] = True


def query_parameter_of_another_type(document):
    events(document)["parameters"][-1]["schema"] = {"type": "boolean"}


def query_parameter_smaller(document):
    events(document)["parameters"][-1]["schema"]["maximum"] = 3


def events(document):
    operation = document["paths"]["/api/{serviceId}/events"]["get"]
    assert operation["parameters"][-1]["name"] == "limit"
    return operation


def another_credential(document):
    create(document)["security"] = [{"accessToken": []}]


def another_answer(document):
    content = create(document)["responses"]["200"]["content"]
    content["application/xml"] = content.pop("application/json")


def forms(document):
    answer = document["paths"]["/api/{serviceId}/ssf/streams"]["get"]["responses"]["200"]
    return answer["content"]["application/json"]["schema"]["anyOf"]


def a_form_more(document):
    forms(document).append({"type": "string"})


def a_form_that_lacks(document):
    schemas(document)["Stream"]["required"].remove("stream_id")


def a_form_less(document):
    members = schemas(document)["CreateServiceTokenRequest"]["properties"]
    members["organizationId"]["anyOf"].pop()


FOUND = {
    gone: "POST /api/{serviceId}/grants: is gone",
    parameter_needed: "POST /api/{serviceId}/grants: the query parameter dry is needed",
    parameter_gone: "POST /api/{serviceId}/grants: the header parameter Idempotency-Key is gone",
    member_needed: "POST /api/{serviceId}/grants request: subject is needed",
    member_gone: "POST /api/{serviceId}/grants request: subject is gone",
    other_type: "POST /api/{serviceId}/grants request.subject: was string, is integer",
    value_refused: "POST /api/{serviceId}/grants/list request.status: revoked is refused",
    answer_gone: "POST /api/{serviceId}/grants 200: grantId is gone",
    answer_may_lack: "POST /api/{serviceId}/grants 200: grantId may be left out",
    deep_in_an_answer: "POST /api/{serviceId}/grants 200.scopes[].scope: was string, is array",
    status_gone: "POST /api/{serviceId}/grants: 200 is gone",
    body_of_another_type: "POST /api/{serviceId}/grants: application/json is not taken",
    text_of_few: "POST /api/{serviceId}/grants request.subject: takes some values alone",
    text_shorter: "POST /api/{serviceId}/grants request.subject: maxLength was 255, is 10",
    text_longer: "POST /api/{serviceId}/grants request.subject: minLength was 1, is 5",
    text_of_a_form: "POST /api/{serviceId}/grants request.subject: pattern is another",
    number_smaller: "POST /api/{serviceId}/grants/list request.limit: maximum was 1000, is 5",
    constant: "POST /api/{serviceId}/grants request.subject: const is another",
    closed: "POST /api/{serviceId}/grants request: takes no other members",
    body_needed: "POST /api/{serviceId}/descriptions/list: a body is needed",
    query_parameter_of_another_type: (
        "GET /api/{serviceId}/events query parameter limit: was integer, is boolean"
    ),
    query_parameter_smaller: (
        "GET /api/{serviceId}/events query parameter limit: maximum was 1000, is 3"
    ),
    another_credential: "POST /api/{serviceId}/grants: apiToken does not open it",
    another_answer: "POST /api/{serviceId}/grants 200: application/json is gone",
    a_form_more: "GET /api/{serviceId}/ssf/streams 200: has another form",
    a_form_that_lacks: "GET /api/{serviceId}/ssf/streams 200: has another form",
    a_form_less: "POST /api/servicetoken/create request.organizationId: a form is refused",
    webhook_gone: "webhook grant.revoked: is gone",
    webhook_lacks: "webhook grant.revoked: timestamp may be left out",
}


@pytest.mark.parametrize("change", FOUND, ids=lambda change: change.__name__)
def test_it_is_noticed(now, change):
    changed = copy.deepcopy(now)
    change(changed)
    assert FOUND[change] in set(breaks(now, changed))


def more(document):
    """What breaks nobody: an operation, a member that may be left out, a code."""
    document["paths"]["/api/more"] = {"post": create(document)}
    schemas(document)["CreateGrantRequest"]["properties"]["more"] = {"type": "string"}
    schemas(document)["Grant"]["properties"]["more"] = {"type": "string"}
    schemas(document)["Refusal400"]["properties"]["resultCode"]["enum"].append("A999999")


def test_what_breaks_nobody(now):
    changed = copy.deepcopy(now)
    more(changed)
    assert list(breaks(now, changed)) == []
