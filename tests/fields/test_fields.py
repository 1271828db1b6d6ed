"""One set of limits for each member, at every door; and whatever is stored can be lived with."""

import io
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from django.test import Client as HTTP

from grant_management import lifecycle
from grant_management.admin.api_token_forms import IssueForm
from grant_management.admin.kit.actions import ReasonForm
from grant_management.admin.service_forms import SettingsForm
from grant_management.admin.sweep_form import FilterForm
from grant_management.conf import Settings
from grant_management.fields import members as m
from grant_management.fields.field import Field
from grant_management.fields.granted import THUMBPRINT
from grant_management.fields.numeric import Time, When, WholeNumber, WholeNumberOrText
from grant_management.fields.strings import Choice, Choices, Pattern, Text
from grant_management.fields.web import Origins, Picture, Texts
from grant_management.lifecycle import Authorization, Binding, GrantAction, Issue, LifecycleError
from grant_management.models import (
    AccessToken,
    ApiToken,
    Client,
    ClientProfile,
    Description,
    Grant,
    GrantEvent,
    GrantStatus,
    IdempotencyKey,
    Logo,
    Organization,
    RefreshToken,
    SelfServiceToken,
    Service,
    Sweep,
)
from grant_management.models.grant import UpdatedBy
from grant_management.models.service import Ownership
from grant_management.protocol import strict_json
from grant_management.protocol.content import Content

from ..doors import logo_in_base64
from ..world import now, organization_token

WRITTEN = (
    AccessToken,
    ApiToken,
    Client,
    ClientProfile,
    Description,
    Grant,
    GrantEvent,
    IdempotencyKey,
    Logo,
    Organization,
    RefreshToken,
    SelfServiceToken,
    Service,
    Sweep,
)


def written():
    """What a refusal leaves as it was. That an API token was used is no effect of the call."""
    used = {"last_used_at", "last_used_from"}
    return {
        model.__name__: [
            {
                name: value
                for name, value in row.items()
                if model is not ApiToken or name not in used
            }
            for row in model.objects.order_by("pk").values()
        ]
        for model in WRITTEN
    }


# Doors. Each sends a member as JSON text, and says whether it was taken and what was said of it.


def body(**members):
    return ("{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}").encode()


def call(world, path, *, api_token=None, service=None, **members):
    headers = {"Authorization": f"Bearer {api_token or world.api_token}"}
    url = f"/api/{path}" if service is None else f"/api/{service}/{path}"
    http = HTTP(raise_request_exception=False)
    response = http.post(url, body(**members), content_type="application/json", headers=headers)
    return response.status_code, strict_json.loads(response.content, keep_numbers=True)


def said(status, answer):
    refused = status == 400 or answer.get("action") in ("BAD_REQUEST", "CALLER_ERROR")
    assert status in (200, 400), answer
    return not refused, answer.get("resultMessage", "")


def store(path, base, name, world, text):
    members = {one: json.dumps(value) for one, value in base.items()} | {name: text}
    if "{grant}" in path:
        path = path.format(grant=world.grant().grant_id)
    return said(*call(world, path, service=world.service.pk, **members))


def provision(path, base, name, world, text):
    manager = organization_token(world, can_manage_tokens=True)
    members = {"serviceId": str(world.service.pk)} | base
    members = {one: value.format(world=world) for one, value in members.items()} | {name: text}
    return said(*call(world, path, api_token=manager, **members))


def telling(path, base, name, world, text):
    """A store's door for a caller who has every right."""
    rights = ("can_manage_services", "can_manage_clients", "can_issue_self_service")
    manager = organization_token(world, **dict.fromkeys(rights, True))
    members = {one: json.dumps(value) for one, value in base.items()} | {name: text}
    taken = said(*call(world, path, api_token=manager, service=world.service.pk, **members))
    SelfServiceToken.objects.all().delete()
    ApiToken.objects.filter(organization=world.service.organization, service=None).delete()
    return taken


def imported(*lines):
    """Import these bytes; whether they were taken, and what was said."""
    errors = io.StringIO()
    path = imported.folder / "records.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    try:
        call_command("import_grants", str(path), stdout=io.StringIO(), stderr=errors)
    except CommandError:
        return False, errors.getvalue()
    return True, errors.getvalue()


@pytest.fixture(autouse=True)
def folder(tmp_path):
    imported.folder = tmp_path


def record(base, name, world, text):
    about = {
        "organization": world.service.organization_id,
        "service": world.service.pk,
        "client_id": world.client.client_id,
    }
    members = {one: json.dumps(value or about[one]) for one, value in base.items()}
    return imported(body(**members | {name: text}))


def command(name, arguments, world, text):
    value = json.loads(text)
    if not isinstance(value, str):
        return False, "a command takes text"
    filled = [one.format(world=world, value=value) if "{" in one else one for one in arguments]
    try:
        call_command(name, *filled, stdout=io.StringIO(), stderr=io.StringIO())
    except CommandError as error:
        return False, str(error)
    return True, ""


def form(kind, base, name, world, text):
    value = json.loads(text) if text.startswith('"') else text
    data = {one: value.format(world=world) for one, value in base.items()} | {name: value}
    options = {}
    if kind is FilterForm:
        options["services"] = Service.objects.all()
    if kind is SettingsForm:
        settings = SettingsForm(instance=world.service)
        data = settings.initial | {"reason": "other"} | data
        options["instance"] = Service.objects.get(pk=world.service.pk)
    filled = kind(data, **options)
    return filled.is_valid(), " ".join(map(str, filled.errors.get(name, [])))


def python(perform, world, text):
    value = json.loads(text, parse_int=lambda digits: int(digits[:50]))
    try:
        perform(world, value)
    except LifecycleError as error:
        return False, error.description
    return True, ""


def complete(world, subject):
    authorization = Authorization(world.client, subject, GrantAction.CREATE)
    return lifecycle.complete(authorization, Content(), active=True)


def issue(world, **fields):
    subject = fields.pop("subject", None)
    return lifecycle.issue(world.client, subject, None, Issue(**fields))


GRANT = {"clientIdentifier": "app-1", "subject": "user-1"}
TOKEN = {"clientIdentifier": "app-1", "subject": "user-1", "grantType": "PASSWORD"}
ORGANIZATION = {"type": "organization", "id": 1, "name": "Example Bank"}
SERVICE = {"type": "service", "id": 2, "organization": 0, "name": "Retail"}
CLIENT = {"type": "client", "service": 0, "client_id": ""}
KNOWN = {"type": "client", "service": 0, "client_id": "app-2"}
IMPORTED = {"type": "grant", "service": 0, "client_id": "", "grant_id": "g-1"}
ACCESS = {"type": "access_token", "service": 0, "client_id": "", "token": "t-1"}
REFRESH = {"type": "refresh_token", "service": 0, "client_id": "", "token": "r-1"}
API = {"type": "api_token", "kind": "service", "service": 0, "token": "a-1"}


WORDS = {"type": "description", "service": 0}
TOLD = {"type": "client_profile", "service": 0, "client_id": ""}
PICTURE = {"type": "logo", "service": 0, "client_id": ""}


@dataclass(frozen=True)
class Door:
    """Where a member comes in."""

    send: object
    member: Field
    where: str

    def __str__(self):
        return f"{self.where}: {self.member.name}"


def at_store(path, base, *members):
    return [Door(partial(store, path, base, one.name), one, path) for one in members]


def at_telling(path, base, *members):
    return [Door(partial(telling, path, base, one.name), one, path) for one in members]


def at_import(base, *members):
    where = f"import of {base['type']}"
    return [Door(partial(record, base, one.name), one, where) for one in members]


def at_provisioning(path, base, *members):
    return [Door(partial(provision, path, base, one.name), one, path) for one in members]


def at_command(name, member, *arguments):
    return Door(partial(command, name, arguments), member, name)


def at_form(kind, base, *members):
    return [Door(partial(form, kind, base, one.name), one, kind.__name__) for one in members]


def in_python(perform, member):
    return Door(partial(python, perform), member, "Python")


CREATE_TOKEN = (
    m.SUBJECT,
    m.LIFETIME,
    m.LIFETIME.named("refreshTokenDuration"),
    m.CERTIFICATE_THUMBPRINT,
    m.KEY_THUMBPRINT,
    m.GRANT_ID.named("grantId"),
    m.CLIENT_NUMBER.named("clientId"),
    m.CLIENT_ID.named("clientIdentifier"),
)
FILTER = {"service": "{world.service.pk}"}
REVOKE = ("--service={world.service.pk}", "--dry-run")
MANY = ("--service={world.service.pk}", "--subject=nobody")
DOORS = [
    *at_store("clients", {}, m.CLIENT_ID.named("clientIdentifier")),
    *at_store(
        "clients", {"clientIdentifier": "new"}, m.CLIENT_NUMBER.named("clientId"), m.CLIENT_NAME
    ),
    *at_store("grants", GRANT, m.SUBJECT, m.EXPIRES_AT),
    *at_store("grants/{grant}/merge", {}, m.EXPIRES_AT),
    *at_store("grants/{grant}/replace", {}, m.EXPIRES_AT),
    *at_store("grants/{grant}/revoke", {}, m.REASON, m.NOTE),
    *at_store("grants/list", {"subject": "user-1"}, m.LIMIT, m.STATUS),
    *at_store("grants/list", {}, m.SUBJECT),
    *at_store("auth/token/create", TOKEN, *CREATE_TOKEN),
    *at_store("auth/token/revoke", {}, m.SUBJECT, m.CLIENT_ID.named("clientIdentifier")),
    *at_telling("descriptions", {"scope": "read"}, m.SENSITIVITY, m.DESCRIPTION_TEXTS),
    *at_telling("descriptions", {}, m.SCOPE, m.AUTHORIZATION_TYPE.named("authorizationType")),
    *at_telling("descriptions/list", {}, m.LIMIT, m.AFTER),
    *at_telling("clients/profile", {"clientIdentifier": "app-1"}, m.PROFILE_TEXTS, m.LOGO),
    *at_telling("self_service/token", {}, m.SUBJECT),
    *at_telling("self_service/token", GRANT, m.SELF_SERVICE_SECONDS),
    *at_import(WORDS, m.SCOPE),
    *at_import(WORDS | {"scope": "read"}, m.SENSITIVITY, m.DESCRIPTION_TEXTS),
    *at_import(TOLD, m.PROFILE_TEXTS),
    *at_import(PICTURE, m.LOGO),
    *at_import(ORGANIZATION, m.ORGANIZATION_ID, m.NAME),
    *at_import(SERVICE, m.SERVICE_ID, m.NOT_BEFORE, *m.SETTINGS),
    *at_import(API, m.DESCRIPTION, m.PREFIX, m.CREATED_BY, m.CREATED_AT, m.ENDS_AT, m.REVOKED_AT),
    *at_import(CLIENT, m.CLIENT_ID),
    *at_import(KNOWN, m.CLIENT_NUMBER, m.CLIENT_NAME, m.NOT_BEFORE, m.LOCKED_AT),
    *at_import(IMPORTED, m.GRANT_ID, m.SUBJECT, m.CREATED_AT, m.LAST_UPDATED_AT, m.UPDATED_BY),
    *at_import(IMPORTED, m.ENDS_AT, m.REVOKED_AT),
    *at_import(IMPORTED, m.GENERATION.named("access_generation")),
    *at_import(IMPORTED, m.GENERATION.named("refresh_generation")),
    *at_import(ACCESS, m.SUBJECT, m.ISSUED_AT, m.ENDS_AT, m.REVOKED_AT, m.GENERATION),
    *at_import(REFRESH, m.SUBJECT, m.ISSUED_AT, m.ROTATED_AT, m.GENERATION),
    *at_provisioning("servicetoken/create", {}, m.DESCRIPTION, m.ASKED_SERVICE, m.API_SERVER),
    *at_provisioning("organizationtoken/create", {}, m.DESCRIPTION, m.ASKED_ORGANIZATION),
    at_command("create_organization", m.NAME, "--", "{value}"),
    at_command(
        "create_service", m.NAME, "--organization={world.service.organization_id}", "--name={value}"
    ),
    at_command(
        "create_service",
        m.ENDPOINT,
        "--organization={world.service.organization_id}",
        "--name=x",
        "--grant-management-endpoint={value}",
    ),
    at_command(
        "issue_api_token", m.DESCRIPTION, "--service={world.service.pk}", "--description={value}"
    ),
    at_command("revoke_grants", m.SUBJECT.sought(), *REVOKE, "--subject={value}"),
    at_command("revoke_grants", m.SCOPE, *REVOKE, "--scope={value}"),
    at_command(
        "revoke_grants", m.AUTHORIZATION_TYPE.sought(), *REVOKE, "--authorization-type={value}"
    ),
    at_command("revoke_grants", m.REASON, *MANY, "--reason={value}"),
    at_command("revoke_grants", m.NOTE, *MANY, "--note={value}"),
    at_command("revoke_grants", m.TICKET, *MANY, "--ticket={value}"),
    at_command("set_cut_off", m.REASON, "--service={world.service.pk}", "--reason={value}"),
    *at_form(ReasonForm, {"reason": "other"}, m.NOTE, m.TICKET),
    *at_form(FilterForm, FILTER | {"client": "app-1"}, m.SUBJECT.sought(), m.SCOPE),
    *at_form(FilterForm, FILTER | {"client": "app-1"}, m.AUTHORIZATION_TYPE.sought()),
    *at_form(
        IssueForm, {"organization": "{world.service.organization_id}", "once": "x"}, m.DESCRIPTION
    ),
    *at_form(SettingsForm, {}, m.NAME, m.REALM, m.ENDPOINT, m.MAX_AGE, m.CALL_LOG_SIZE),
    in_python(complete, m.SUBJECT),
    in_python(lambda world, value: issue(world, subject=value), m.SUBJECT),
    in_python(lambda world, value: issue(world, access_token_duration=value), m.LIFETIME),
    in_python(lambda world, value: issue(world, binding=Binding(jkt=value)), THUMBPRINT),
]


# What is sent: JSON texts, from the declaration of each member.

NO_STRING = ["5", "true", "[]", '["x"]', "{}"]
BROKEN = ['"a\\u0000b"', '"a\\ud800b"']
CONTROLS = ['"a\\u0001b"', '"a\\u007fb"', '"a\\u0085b"', '"a\\u001b[31m"']


def texts(member):
    long = [json.dumps(sign * (member.longest + 1)) for sign in ("x", "\u00e9")]
    empty = ['""'] if member.shortest else []
    controls = (
        [] if member.controls else CONTROLS + ([] if member.lines else ['"a\\nb"', '"a\\tb"'])
    )
    refused = NO_STRING + BROKEN + long + empty + controls
    longest = [json.dumps(sign * member.longest) for sign in ("x", "\u00e9", "\U0001f600")]
    taken = ['"j\\u00fcrgen"', '"x"', '"<b>\'\\"&amp;%00"', '"a\\u202eb"', *longest]
    if member.longest > 150:
        taken.append(json.dumps("x" * 150))
    if member.lines:
        taken.append('"a\\r\\n\\tb"')
    return refused, [one for one in taken if len(json.loads(one)) <= member.longest]


def whole_numbers(member):
    refused = ['"x"', "true", "[]", "1.5", "0.1e0", "1e-1", "1e400", "-1e400", "1e999999999999"]
    refused += [str(member.most + 1), str(member.least - 1), f"{member.most + 1}.0", "9" * 5_000]
    if not isinstance(member, WholeNumberOrText):
        refused.append(f'"{member.most}"')
    taken = [str(member.least), str(member.most), f"{member.most}.0", f"{member.least}.000e0"]
    if member.least <= 10 <= member.most:
        taken += ["10", "1E1", "1e+1", "100e-1", "0.1e2", "10.0"]
    return refused, taken


def moments(member):
    here = now().timestamp()
    scale = 10 ** (6 - member.unit.places)
    refused = ['"2026-01-01"', "true", "-1", "1e400", "1e99999", str(253_402_300_800 * scale)]
    past = [str(int((here - 60) * scale)), f"{int((here - 60) * scale)}.0", "0"]
    coming = [str(int((here + 60) * scale)), "19e8" if scale == 1 else "1.9E12"]
    coming.append(f"{253_402_300_799 * scale}.9")
    if member.when is When.PAST:
        return refused + coming, [*past, str(int((here + 2) * scale))]
    if member.when is When.COMING:
        seconds = [str(int(here + 86_400))] if scale > 1 else []
        return refused + past + seconds, coming
    return refused, past + coming


def patterns(member):
    if member.name == "scope":
        refused = ['""', '"a b"', '"\\u00e9"', '"a\\\\"', json.dumps("x" * 256)]
        return NO_STRING + BROKEN + refused, ['"openid"', json.dumps("x" * 255)]
    if "humbprint" in member.name or member.name == "jkt":
        good = "A" * 43
        refused = ['"x"', f'"{good[1:]}B"', f'"{good}="', f'"{good}A"']
        return NO_STRING + BROKEN + refused, [f'"{good}"']
    refused = ['"."', '".."', '"a/b"', '"a b"', '"%2e"', '"\\u00e9"', json.dumps("x" * 256), '""']
    return NO_STRING + BROKEN + refused, ['"..."', '".a"', '"~-_."', json.dumps("x" * 255)]


def urls(member):
    refused = [
        '"x"',
        '"https://h/?q"',
        '"https://h/#f"',
        '"ftp://h/"',
        '"https://h:99999/"',
        '"https://u@h/"',
    ]
    refused.append(json.dumps("https://h/" + "x" * 1_991))
    return NO_STRING + BROKEN + refused, [
        '"https://as.example.com/gm"',
        json.dumps("https://h/" + "x" * 1_990),
    ]


def languages(member):
    given = {"language": "en", "name": "x"}
    wrong = [{"name": "x"}, {"language": "e", "name": "x"}, {"language": 5, "name": "x"}]
    wrong += [given | {"name": one} for one in ("x" * 101, "a\nb", 5)]
    wrong += [given | {"other": "x"}, {"language": "en-" + "x" * 40, "name": "x"}]
    urls = "http://h/", "javascript:alert(1)", "https://u@h/", "https://h:99999/", "//h/", "x"
    wrong += [given | {"site": one} for one in urls]
    wrong += [
        given | {"contact": one} for one in ("x", "http://h/", "javascript:x", "a b@h.example")
    ]
    lists = [[one] for one in wrong] + [[given, {"language": "EN", "name": "y"}], [given] * 51]
    taken = [[given], [given, {"language": "de-Latn-CH", "name": "\u00fc"}], []]
    if member is m.PROFILE_TEXTS:
        more = {"site": "https://h/", "contact": "a@h.example", "terms": "https://h/t?q#f"}
        taken += [[given | more], [{"language": "ja", "contact": "https://h/help"}]]
    else:
        lists += [[{"language": "en", "sentence": "x"}]]
        taken += [[given | {"sentence": "x" * 500}]]
    refused = ["5", '"x"', "{}", "[5]", "true", *BROKEN, *map(json.dumps, lists)]
    return refused, list(map(json.dumps, taken))


def origins(member):
    wrong = [
        "https://h/",
        "https://h:443",
        "https://H",
        "http://h",
        "*",
        "null",
        "https://u@h",
        "x",
    ]
    refused = ["5", '"x"', "{}", "[5]", *(json.dumps([one]) for one in wrong)]
    return [*refused, json.dumps(["https://h"] * 101)], [
        "[]",
        '["https://app.example.com","https://app.example.com:8443"]',
        '["http://localhost:3000"]',
    ]


def pictures(member):
    """Files are in the tests of `protocol.logos`."""
    refused = ["5", "true", "[]", "{}", '"x"', '"eA=="', *BROKEN, json.dumps("A" * 300_000)]
    return refused, [json.dumps(logo_in_base64())]


OF_THEIR_OWN = {type(m.ENDPOINT): urls, Texts: languages, Origins: origins, Picture: pictures}


def values(member):
    """JSON texts that are refused, and others that are taken."""
    if type(member) in OF_THEIR_OWN:
        return OF_THEIR_OWN[type(member)](member)
    if isinstance(member, Text):
        return texts(member)
    if isinstance(member, WholeNumber):
        return whole_numbers(member)
    if isinstance(member, Time):
        return moments(member)
    if isinstance(member, Choice):
        return [*NO_STRING, '"other"', '["client"]'], [json.dumps(one) for one in member.choices]
    if isinstance(member, Choices):
        first = json.dumps(member.choices[0])
        empty = ["[]"] if member.least else []
        return ["5", first, "{}", '["other"]', "[5]", *empty], [f"[{first}]", f"[{first},{first}]"]
    if isinstance(member, Pattern):
        return patterns(member)
    return ["5", '"true"', "[]", "0", "{}"], ["true", "false"]


STRICT = ("it is not strict JSON", "not a line of strict JSON")


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_what_is_refused_leaves_nothing_and_says_why(world, door):
    """In the words of the member, whichever door it is; or of the reader, where it is no JSON."""
    before = written()
    for text in values(door.member)[0]:
        if door.send.func is form and not _is_typed(door, text):
            continue
        if door.where == "Python" and text == "-1":
            continue  # lifecycle.NEVER
        taken, reason = door.send(world, text)
        assert not taken, f"{door} took {text[:60]}"
        _check_reason(door, text, reason)
    if "{grant}" not in door.where and "token/create" not in door.where:  # these make one first
        assert written() == before


def _check_reason(door, text, reason):
    func = door.send.func
    if func is command and not isinstance(json.loads(text), str):
        return
    if func is form:  # Django's own fields speak first
        assert reason
        return
    spoken = door.member.sentence.replace('"', "?").replace("\\", "?")
    assert spoken in reason or any(one in reason for one in STRICT), (text[:60], reason)


def _is_typed(door, text):
    """Whether a form can be sent it: text that is UTF-8, and not empty where that is none."""
    if isinstance(door.member, WholeNumber):
        return text.lstrip("-").isdigit()
    value = json.loads(text)
    fields = FilterForm, ReasonForm, IssueForm
    empty = value == "" and door.send.args[0] in fields
    return isinstance(value, str) and "\ud800" not in value and not empty and value == value.strip()


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_what_is_taken_is_taken_everywhere(world, door):
    for text in values(door.member)[1]:
        if door.send.func is form and not _is_typed(door, text):
            continue
        if _would_clash(door, text):
            continue
        _forget()
        taken, reason = door.send(world, text)
        assert taken, f"{door} refused {text[:60]}: {reason}"


def _would_clash(door, text):
    """A value that is acceptable in itself, and means something that is not there or taken."""
    if door.member.name in ("clientId", "grantId", "serviceId", "organizationId"):
        return True
    elsewhere = "token/create", "grants/list"
    if door.where == "Python" and isinstance(json.loads(text), float):
        return True  # to Python it is another type
    unknown = door.member.name == "clientIdentifier" and any(one in door.where for one in elsewhere)
    empty = text == '""' and door.send.func is command
    return unknown or empty or (door.where == "import of service" and text == '""')


def _forget():
    """What another value of the same door left, and would update."""
    for model in (AccessToken, RefreshToken, Grant, Description, ClientProfile, Logo):
        models.QuerySet(model).filter(models.Q()).delete()
    Service.objects.filter(pk=2).delete()
    Client.objects.exclude(client_id="app-1").delete()
    SelfServiceToken.objects.all().delete()
    ApiToken.objects.filter(prefix="").delete()


def test_the_columns_are_as_long_as_the_members():
    """So that what is taken fits, on every database."""
    for model, member, column in (
        (Organization, m.NAME, "name"),
        (Service, m.NAME, "name"),
        (Service, m.REALM, "realm"),
        (Service, m.ENDPOINT, "grant_management_endpoint"),
        (Client, m.CLIENT_ID, "client_id"),
        (Client, m.CLIENT_NAME, "name"),
        (ApiToken, m.DESCRIPTION, "description"),
        (ApiToken, m.PREFIX, "prefix"),
        (ApiToken, m.CREATED_BY, "created_by"),
        (Grant, m.SUBJECT, "subject"),
        (AccessToken, m.SUBJECT, "subject"),
        (RefreshToken, m.SUBJECT, "subject"),
        (GrantEvent, m.SUBJECT, "subject"),
        (GrantEvent, m.CLIENT_ID, "client_id"),
        (GrantEvent, m.CLIENT_ID, "actor"),
        (GrantEvent, m.REASON, "reason"),
        (GrantEvent, m.TICKET, "ticket"),
        (Sweep, m.SUBJECT, "subject"),
        (Sweep, m.AUTHORIZATION_TYPE, "authorization_type"),
        (Sweep, m.REASON, "reason"),
        (Sweep, m.TICKET, "ticket"),
    ):
        assert model._meta.get_field(column).max_length == member.longest, (model, column)
    for model, columns in ((Grant, ["grant_id"]), (Sweep, ["scope"]), (GrantEvent, ["grant_id"])):
        assert {model._meta.get_field(one).max_length for one in columns} == {255}


def test_the_settings_of_a_service_are_its_columns():
    names = {member.name for member in m.SETTINGS}
    columns = {field.name for field in Service._meta.concrete_fields}
    assert columns - names == {
        "id",
        "organization",
        "not_before",
        "deleted_at",
        "publishes_events",
    }
    for member in m.SETTINGS:
        if isinstance(member, WholeNumber):
            limits = Service._meta.get_field(member.name).validators
            bounds = {one.limit_value for one in limits if one.limit_value != 2**63 - 1}
            assert {member.most} <= bounds
            assert bounds <= {member.least, member.most, 0, 2_147_483_647}
    assert m.SETTINGS[7].choices == tuple(Ownership.values)
    assert m.UPDATED_BY.choices == tuple(UpdatedBy.values)
    assert m.STATUS.choices == tuple(GrantStatus.values)


def declared():
    """Every member of the module, and those within its tuples."""
    for one in vars(m).values():
        for member in one if isinstance(one, tuple) else [one]:
            if isinstance(member, Field):
                yield member


def table():
    """Markdown: each rule, and the members that it holds for."""
    rules = {}
    for member in declared():
        rules.setdefault(member.sentence, set()).add(f"`{member.name}`")
    rows = [(", ".join(sorted(names)), rule) for rule, names in rules.items()]
    return [f"| {names} | {rule} |" for names, rule in sorted(rows)]


def test_the_documents_say_what_each_member_may_be():
    """`python -c "from tests.fields.test_fields import …"` prints what is missing: this test does."""
    written_down = (Path(__file__).parents[2] / "docs" / "reference" / "limits.md").read_text()
    found = [line for line in written_down.splitlines() if line.startswith("| `")]
    assert [line for line in found if "| must " in line] == table(), "\n".join(table())


def test_the_documents_have_the_limits_that_are_settings():
    limits = (Path(__file__).parents[2] / "docs" / "reference" / "limits.md").read_text()
    for setting in (Settings.max_grant_content, Settings.max_grant_pairs, Settings.max_import_line):
        row = next(line for line in limits.splitlines() if f"| `{setting.key}` |" in line)
        assert f"{setting.default:,}" in row
