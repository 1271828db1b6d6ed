"""An error that leaves a redacted function: its frames stay, their values do not."""

import traceback

import pytest
from django.test import RequestFactory

from grant_management.redaction import redacted

TOKEN = "a-credential"


def variables(error):
    """Of all frames of an error, its cause and its context."""
    found = []
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_name not in ("variables", "test_no_value_is_left"):
                found.append(repr(frame.f_locals))
        error = error.__cause__ or error.__context__
    return "".join(found)


@redacted
def fails(token, *, other):
    copied = [token, other]
    try:
        raise KeyError(len(copied))
    except KeyError:
        deeper(copied)


def deeper(held):
    raise ValueError(len(held))


def test_no_value_is_left():
    with pytest.raises(ValueError, match="2") as caught:
        fails(TOKEN, other=TOKEN)
    assert TOKEN not in variables(caught.value)
    names = [one.name for one in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-2:] == ["fails", "deeper"]


def test_body_and_form_are_empty():
    @redacted
    def view(request):
        raise ValueError(request.POST["token"] == TOKEN)

    request = RequestFactory().post("/", {"token": TOKEN})
    with pytest.raises(ValueError, match="True"):
        view(request)
    assert (request.body, dict(request.POST), dict(request.FILES)) == (b"", {}, {})
