"""A model under another name: pages call it as the navigation does. The model's own names are in
migrations.
"""

from copy import copy
from typing import Any


def renamed(opts: Any, name: Any, plural: Any) -> Any:
    """The options of a model, with these names."""
    named = copy(opts)
    named.verbose_name, named.verbose_name_plural = name, plural
    return named
