"""Language tags, by RFC 5646 and RFC 4647."""

import pytest

from grant_management.protocol import languages


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("EN", "en"),
        ("de-at", "de-AT"),
        ("ZH-HANT-tw", "zh-Hant-TW"),
        ("zh-cmn-hans-cn", "zh-cmn-Hans-CN"),
        ("sl-rozaj-biske-1994", "sl-rozaj-biske-1994"),
        ("es-419", "es-419"),
        ("en-us-U-islamcal", "en-US-u-islamcal"),
        ("sr-latn", "sr-Latn"),
    ],
)
def test_letter_case(tag, shown):
    """RFC 5646 §2.1.1."""
    assert languages.canonical(tag) == shown


@pytest.mark.parametrize(
    "tag", ["", "e", "en_US", "en-", "-en", "en--US", "x-whatever", "i-klingon", "en-u", "dé"]
)
def test_what_is_no_tag(tag):
    with pytest.raises(ValueError, match="language tag"):
        languages.canonical(tag)


def test_no_tag_is_longer_than_must_be_supported():
    """RFC 5646 §4.4.1."""
    tag = "en-" + "-".join(["12345678"] * 3)
    assert languages.canonical(tag) == tag
    with pytest.raises(ValueError, match="language tag"):
        languages.canonical("en-" + "-".join(["12345678"] * 4))


@pytest.mark.parametrize(
    ("preferred", "available", "found"),
    [
        (["de"], ["en", "de"], "de"),
        (["de-CH-1996"], ["en", "de", "de-CH"], "de-CH"),
        (["zh-Hant-TW"], ["zh-Hant", "zh"], "zh-Hant"),
        (["zh-hant-x-private"], ["zh-Hant"], "zh-Hant"),
        (["fr", "ja"], ["en", "ja"], "ja"),
        (["DE"], ["de"], "de"),
        (["pt_BR"], ["pt"], "pt"),
        (["fr"], ["en"], None),
        (["en"], ["en-GB"], None),
        ([], ["en"], None),
        (["en"], [], None),
    ],
)
def test_lookup(preferred, available, found):
    """RFC 4647 §3.4."""
    assert languages.lookup(preferred, available) == found
