"""What several doors answer."""

from typing import Final

from ....endpoint import sender_constraint
from ....endpoint.flow import STEPS
from ....fields import members as m
from ..schemas import Schema
from ..shapes import TEXT, Shape, array_of, done, members, of

BINDING: Final = tuple(one for step in sender_constraint.STEPS for one in step.refusals)
"""The refusals of a certificate or a DPoP proof."""
FLOW: Final = tuple(one for step in STEPS for one in step.refusals)
"""The refusals of a call of the grant management API, in their order."""
NAMES: Final = array_of(TEXT)
CONTENT: Final = members(*m.CONTENT)
CLIENT_NAMES: Final = members(*m.CLIENT)
PROPERTIES: Final[Schema] = array_of(Shape("Property", of("key", "value", schema=TEXT)).ref)
DONE: Final = done("Done")
EMPTY: Final = Shape("Empty")
