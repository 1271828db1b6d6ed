"""The assumptions as options of `run.py bench sizing`."""

from dataclasses import Field, fields
from typing import Any

from .assumed import Prices


def options_of(kind: Any) -> dict[str, Field[Any]]:
    """The names of the options of a class of `assumed`, with their fields."""
    prefix = "price-" if kind is Prices else ""
    there = [one for one in fields(kind) if "what" in one.metadata]
    return {prefix + one.name.replace("_", "-"): one for one in there}
