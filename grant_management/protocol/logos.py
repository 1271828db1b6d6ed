"""Logos: decoded under limits, and encoded again, so that nothing else of a file is kept."""

import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL import Image

LARGEST: Final = 102_400
"""Bytes of a file, as it is sent and as it is kept."""
MEDIA_TYPE: Final = "image/png"
"""The type of every logo that is kept: it loses nothing, so encoding it again changes nothing."""
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_SIDE: Final = 4_096
"""Pixels of a side that are decoded at most: 64 MiB of memory."""
_SHOWN: Final = (256, 192, 128, 96)
"""Pixels of a side that are kept: the first at which the file is small enough. The last always is.
"""


class NoImageLibrary(ValueError):
    """Pillow is not installed, so no logo can be checked."""


class LogoRefused(ValueError):
    """It is no logo: another type, too large, animated or damaged."""


def encoded(data: bytes) -> bytes:
    """The picture as PNG, of at most 256 pixels a side, without any metadata.

    LogoRefused: not one PNG, JPEG or WebP picture within the limits. NoImageLibrary: Pillow, which
    could tell, is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise NoImageLibrary from None
    if not 0 < len(data) <= LARGEST:
        raise LogoRefused
    try:
        # The sides are in the header: nothing is decoded before they are known.
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            if max(opened.size) > _SIDE or getattr(opened, "n_frames", 1) != 1:
                raise LogoRefused
            picture = opened.convert("RGBA")
    except LogoRefused:
        raise
    except Exception:  # noqa: BLE001 - each decoder has errors of its own
        raise LogoRefused from None
    picture.info = {}  # Pillow would write the colour profile again
    return _small_enough(picture)


def _small_enough(picture: "Image.Image") -> bytes:
    for side in _SHOWN:
        picture.thumbnail((side, side))
        out = io.BytesIO()
        picture.save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST:
            break
    return out.getvalue()
