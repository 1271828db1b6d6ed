"""JSON, URIs, base64url, challenges and what a grant holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grant_management.protocol import content, strict_json, uris
from grant_management.protocol.challenge import challenge_of
from grant_management.protocol.digests import b64url_decode, b64url_encode
from grant_management.protocol.results import Refused, Result

from ..conftest import parse_challenges

NORMAL = {
    "HTTP://Example.COM": "http://example.com/",
    "https://example.com:443/": "https://example.com/",
    "https://example.com:0443/": "https://example.com/",
    "https://example.com:/": "https://example.com/",
    "http://example.com:8080": "http://example.com:8080/",
    "https://example.com/%7Euser/%2f%2F": "https://example.com/~user/%2F%2F",
    "https://ex%41mple.com/": "https://example.com/",
    "https://example.com/a/./b/../c": "https://example.com/a/c",
    "https://example.com/../..": "https://example.com/",
    "https://example.com/a/..": "https://example.com/",
    "https://example.com/a/b/..": "https://example.com/a/",
    "https://example.com/a//b": "https://example.com/a//b",
    "https://example.com/a/%2e%2E/b": "https://example.com/b",
    "https://example.com/a;p=1,2?q#f": "https://example.com/a;p=1,2",
    "https://[2001:DB8::1]:443/x": "https://[2001:db8::1]/x",
}


@pytest.mark.parametrize(("uri", "normal"), NORMAL.items())
def test_normal_form(uri, normal):
    assert uris.normalise(uri) == normal
    assert uris.normalise(normal) == normal


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/x",
        "example.com",
        "mailto:a@b",
        "ftp://h/",
        "https:///x",
        "https://h:65536/",
        "https://h:1x/",
        "https://u@h/",
        "https://h/\n",
        "https://h/ x",
        "https://h/\u00e4",
        "https://h/%",
        "https://h/%g0",
        "https://h\\x",
        "https://h/<x>",
        "https://h/\x00",
    ],
)
def test_no_uri(uri):
    with pytest.raises(ValueError, match=r"URI|port"):
        uris.normalise(uri)


@given(st.text())
def test_normalise_fails_in_one_way_only(text):
    for uri in (text, f"https://{text}", f"https://h/{text}"):
        try:
            normal = uris.normalise(uri)
        except ValueError:
            continue
        assert uris.normalise(normal) == normal


@given(st.text("ab.A/%2e:8?#~-", max_size=20))
def test_what_is_in_normal_form_is_told_at_a_glance(text):
    uri = f"https://{text}"
    if uris._NORMAL.match(uri):
        assert uris._normalised(uri) == uri


@given(st.text())
def test_url_of_any_grant_id_is_one_segment(grant_id):
    try:
        url = uris.grant_url("https://h/gm", grant_id)
    except UnicodeEncodeError:
        return
    assert url.count("/") == 4


@given(st.binary())
def test_base64url_there_and_back(raw):
    assert b64url_decode(b64url_encode(raw)) == raw


@pytest.mark.parametrize("text", ["A", "AB", "AA=", "A+", "A/", "AA\n", "\u00e4"])
def test_base64url_has_one_spelling(text):
    with pytest.raises(ValueError, match=r"base64url|padded|data"):
        b64url_decode(text)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner
        )
    ),
)


@given(JSON)
def test_json_there_and_back(value):
    text = strict_json.dumps(value)
    assert strict_json.loads(text) == value
    assert strict_json.dumps(strict_json.loads(text, keep_numbers=True)) == text


def test_numbers_stay_as_they_were_written():
    text = "[1,1.0,1.00,1e2,1E+2,-0,0.1000000000000000055511151231257827,1e400]"
    assert strict_json.dumps(strict_json.loads(text, keep_numbers=True)) == text


def test_sixty_four_levels_are_allowed():
    assert strict_json.loads("[" * 64 + "]" * 64)
    with pytest.raises(ValueError, match="deep"):
        strict_json.loads("[" * 65 + "]" * 65)


def test_scopes_are_grouped_by_their_resources():
    """A scope held with and without resources is in two entries; none at all comes last."""
    pairs = {
        ("read", "https://b"),
        ("read", "https://a"),
        ("contacts", "https://a"),
        ("contacts", "https://b"),
        ("write", "https://b"),
        ("write", None),
        ("openid", None),
    }
    assert content.show_scopes(pairs) == (
        '[{"scope":"contacts read","resource":["https://a","https://b"]},'
        '{"scope":"write","resource":["https://b"]},'
        '{"scope":"openid write"}]'
    )


SCOPES = st.sets(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["https://x", "https://y", None]))
)


@given(SCOPES)
def test_pairs_there_and_back(pairs):
    shown = content.show_scopes(pairs)
    value = strict_json.loads(shown) if shown else None
    assert content.read_scopes(value) == pairs


@pytest.mark.parametrize(
    "scopes",
    [
        "openid",
        {},
        ["openid"],
        [{"resource": ["https://x"]}],
        [{"scope": ""}],
        [{"scope": "a  b"}],
        [{"scope": 'a"'}],
        [{"scope": "a", "resource": "https://x"}],
        [{"scope": "a", "resource": ["x"]}],
        [{"scope": "a", "resource": ["https://x#y"]}],
        [{"scope": "a", "more": 1}],
        [{"scope": ["a"]}],
    ],
)
def test_scopes_refused(scopes):
    with pytest.raises(ValueError, match=r"scope|resource"):
        content.read_scopes(scopes)


@pytest.mark.parametrize("details", ["x", [1], [{}], [{"type": 1}], [{"type": ""}]])
def test_details_refused(details):
    with pytest.raises(ValueError, match="'type'"):
        content.read_details(details)


@given(st.text(), st.text(), st.lists(st.text(min_size=1), min_size=1))
def test_a_challenge_is_always_one_header_line(description, realm, algs):
    for value in (
        challenge_of(Refused(Result.SCOPE_MISSING, description)),
        challenge_of(
            Refused(Result.SCOPE_MISSING, description), algs=algs, is_key_bound=True, scope="s"
        ),
        challenge_of(Refused(Result.ACCESS_TOKEN_MISSING), realm=realm, algs=algs),
    ):
        assert all(" " <= character <= "~" for character in value)
        parse_challenges(value)


@given(st.text())
def test_a_message_fits_an_error_description(detail):
    for result in Result:
        assert all(" " <= c <= "~" and c not in '"\\' for c in result.message(detail))
