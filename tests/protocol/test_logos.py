"""Logos: what is taken, and that nothing but the picture is kept."""

import io
import os
import struct
import sys
import zlib

import pytest
from PIL import Image, PngImagePlugin

from grant_management.protocol import logos


def file(kind="PNG", size=(40, 30), mode="RGB", **options):
    out = io.BytesIO()
    Image.new(mode, size, "green").save(out, kind, **options)
    return out.getvalue()


def read(data):
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_is_taken(kind):
    kept = read(logos.encoded(file(kind)))
    assert (kept.format, kept.size, kept.mode) == ("PNG", (40, 30), "RGBA")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode(mode):
    assert read(logos.encoded(file(mode=mode))).mode == "RGBA"


def test_it_is_made_smaller():
    assert read(logos.encoded(file(size=(4_096, 100)))).size == (256, 6)


def test_what_is_kept_is_small_however_it_looks():
    noise = Image.frombytes("RGB", (150, 150), os.urandom(150 * 150 * 3))
    out = io.BytesIO()
    noise.save(out, "PNG")
    assert len(out.getvalue()) < logos.LARGEST
    big = Image.frombytes("RGBA", (300, 300), os.urandom(300 * 300 * 4))
    kept = logos._small_enough(big)
    assert len(kept) <= logos.LARGEST
    assert read(kept).size < (256, 256)


def test_encoding_again_changes_nothing():
    """So an export that is imported has the same digest."""
    for kind in ("PNG", "JPEG", "WEBP"):
        once = logos.encoded(file(kind, size=(500, 300)))
        assert logos.encoded(once) == once


def test_nothing_else_is_kept():
    """Neither texts, profiles and what is behind the picture."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "secret-text")
    data = file(pnginfo=info, icc_profile=b"secret-profile") + b"<script>secret</script>"
    assert b"secret" in data
    jpeg = file("JPEG", comment=b"secret", icc_profile=b"secret")
    for one in (data, jpeg):
        kept = logos.encoded(one)
        assert b"secret" not in kept
        assert set(chunks(kept)) == {b"IHDR", b"IDAT", b"IEND"}


def chunks(data):
    """The types of a PNG's chunks; nothing stands behind the last one."""
    at = 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8]
        at += 12 + size
    assert at == len(data)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PPM"])
def test_other_types(kind):
    with pytest.raises(logos.LogoRefused):
        logos.encoded(file(kind))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n",
        file()[:60],
        file("WEBP")[:30],
        file("JPEG")[:300],
        b"%PDF-1.7",
    ],
)
def test_what_is_no_picture(data):
    with pytest.raises(logos.LogoRefused):
        logos.encoded(data)


def test_more_than_100_kb():
    padded = file() + b"x" * logos.LARGEST
    with pytest.raises(logos.LogoRefused):
        logos.encoded(padded)


def test_animated():
    frames = [Image.new("RGB", (9, 9), one) for one in ("red", "green")]
    for kind in ("PNG", "WEBP"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        with pytest.raises(logos.LogoRefused):
            logos.encoded(out.getvalue())


def bomb(width, height):
    """A PNG of a few bytes whose header promises many pixels."""

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    size = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(1_000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("size", [(4_097, 1), (1, 4_097), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_decompression_bombs_are_not_decoded(size, monkeypatch):
    decoded = []
    monkeypatch.setattr(Image.Image, "convert", lambda *args: decoded.append(args))
    with pytest.raises(logos.LogoRefused):
        logos.encoded(bomb(*size))
    assert decoded == []


def test_without_pillow(monkeypatch):
    data = file()
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(logos.NoImageLibrary):
        logos.encoded(data)
