"""What statements take, and what they give."""

from datetime import datetime
from typing import Any

Value = int | bytes | str | datetime
Row = tuple[Any, ...]
