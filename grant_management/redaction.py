"""Keeps credentials out of what is reported of an error: to an error tracker, by mail, on a page.

A tracker attaches the body of the request and the local variables of every stack frame. Django's
`sensitive_variables` and `sensitive_post_parameters` are heeded by Django's own reports alone, and
the wrapper of the former holds the arguments in its own frame. So here the values are gone before
anybody can read them; the frames, with their files and lines, stay.
"""

import functools
import traceback
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict

P = ParamSpec("P")
T = TypeVar("T")


def redacted(function: Callable[P, T]) -> Callable[P, T]:
    """The function, for which an error leaves neither local variables nor a request's body.

    Write it outermost: the wrappers inside it hold the arguments too.
    """

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            _forget_bodies(args)
            del args, kwargs  # this frame is part of the report
            forget_locals(error)
            raise

    return guarded


def forget_body(request: HttpRequest) -> None:
    """Make the body of a request empty, whether it was read or not, and the form in it."""
    request._body = b""  # a log of the host may read it after the call
    request._post = QueryDict()  # type: ignore[attr-defined]
    request._files = MultiValueDict()  # type: ignore[attr-defined]


def _forget_bodies(values: tuple[object, ...]) -> None:
    for one in values:
        if isinstance(one, HttpRequest):
            forget_body(one)


def forget_locals(error: BaseException) -> None:
    """Drop the local variables of the frames that an error, its causes and contexts left behind.

    Frames that still run keep theirs.
    """
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        traceback.clear_frames(one.__traceback__)
        pending += [one.__cause__, one.__context__]
