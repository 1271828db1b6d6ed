"""The types of a statement's values and of its rows."""

from datetime import datetime
from typing import Any

Value = int | bytes | str | datetime
Row = tuple[Any, ...]
