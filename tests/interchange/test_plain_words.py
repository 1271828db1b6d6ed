"""Descriptions, profiles and logos as records."""

import base64
import io
import json

import pytest
from django.core.management import CommandError, call_command

from grant_management.models import Client, ClientProfile, Description, Logo
from grant_management.protocol import logos

from ..doors import logo_in_base64
from ..world import BY_TEST, make_world

TEXTS = [{"language": "de", "name": "Konten"}, {"language": "ja", "name": "口座"}]


def exported():
    out = io.StringIO()
    call_command("export_grants", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def take(records, tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records if one["type"] != "end"))
    out = io.StringIO()
    call_command("import_grants", str(path), stdout=out, stderr=out)


@pytest.fixture
def told(world):
    put = Description.objects.put
    put(world.service, "scope", "accounts", BY_TEST, texts=TEXTS, sensitivity="high")
    put(world.service, "authorization_type", "accounts", BY_TEST, texts=TEXTS[:1])
    logo = logos.encoded(base64.b64decode(logo_in_base64()))
    ClientProfile.objects.put(world.client, BY_TEST, texts=TEXTS, logo=logo)
    return world


def rows():
    """All that is told, without the keys that an import makes anew."""
    words = Description.objects.order_by("service", "kind", "name")
    return (
        list(words.values_list("service", "kind", "name", "sensitivity", "texts")),
        list(ClientProfile.objects.values_list("client", "service", "texts")),
        [
            (one.client_id, one.service_id, bytes(one.digest), bytes(one.content))
            for one in Logo.objects.all()
        ],
    )


def test_nothing_is_lost(told, tmp_path):
    before, records = rows(), exported()
    for model in (Logo, ClientProfile, Description):
        model.objects.all().delete()
    for _ in range(2):
        take(records, tmp_path)
        assert rows() == before
    assert sorted(exported(), key=str) == sorted(records, key=str)


def test_an_export_of_one_service_has_its_own_alone(told):
    other = make_world(told.service.organization)
    Description.objects.put(other.service, "scope", "x", BY_TEST)
    out = io.StringIO()
    call_command("export_grants", "--service", str(told.service.pk), stdout=out)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["scope"] for one in found if one["type"] == "description" and "scope" in one] == [
        "accounts"
    ]


def test_known_records_are_updated(told, tmp_path):
    about = {"service": told.service.pk}
    new = [{"language": "en", "name": "Accounts"}]
    client = about | {"client_id": "app-1"}
    take(
        [
            {"type": "description", "scope": "accounts", "texts": new} | about,
            {"type": "client_profile", "texts": new} | client,
        ],
        tmp_path,
    )
    word = Description.objects.get(kind="scope")
    assert (word.texts, word.sensitivity) == (new, "high")
    assert ClientProfile.objects.get().texts == new
    assert Description.objects.count() == 2


@pytest.mark.parametrize(
    "record",
    [
        {"type": "description"},
        {"type": "description", "scope": "a", "authorization_type": "b"},
        {"type": "description", "scope": "a b"},
        {"type": "description", "scope": "a", "texts": [{"language": "en"}]},
        {"type": "client_profile", "client_id": "nobody", "texts": []},
        {"type": "client_profile", "client_id": "app-1"},
        {"type": "logo", "client_id": "app-1", "logo": ""},
        {"type": "logo", "client_id": "app-1", "logo": "eA=="},
        {"type": "logo", "client_id": "app-1", "logo": logo_in_base64(), "digest": "x"},
    ],
    ids=str,
)
def test_bad_records(world, tmp_path, record):
    with pytest.raises(CommandError):
        take([record | {"service": world.service.pk}], tmp_path)
    assert not Description.objects.exists()
    assert not Logo.objects.exists()
    assert Client.objects.count() == 1


def test_what_stands_behind_a_picture_is_not_imported(world, tmp_path):
    raw = base64.b64decode(logo_in_base64()) + b"secret"
    record = {"type": "logo", "service": world.service.pk, "client_id": "app-1"}
    take([record | {"logo": base64.b64encode(raw).decode()}], tmp_path)
    assert b"secret" not in bytes(Logo.objects.get().content)
