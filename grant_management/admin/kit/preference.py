"""What an operator chose for the pages of the console: the time zone and the language.

Both are read once for each login, and kept in its session.
"""

from typing import Final, NamedTuple

from django.http import HttpRequest

from ...models import OperatorPreference

ZONE: Final = "grant_management_time_zone"
LANGUAGE: Final = "grant_management_language"


class Preference(NamedTuple):
    """The name of a time zone and the code of a language; "": none was chosen."""

    time_zone: str = ""
    language: str = ""


def preference_of(request: HttpRequest) -> Preference:
    """What the operator chose; nothing for others. At most 1 query for each login."""
    user, session = getattr(request, "user", None), getattr(request, "session", None)
    if user is None or session is None or not user.is_authenticated:
        return Preference()
    if ZONE not in session or LANGUAGE not in session:
        session[ZONE], session[LANGUAGE] = OperatorPreference.objects.chosen_by(user)
    return Preference(session[ZONE], session[LANGUAGE])


def choose(request: HttpRequest, preference: Preference) -> None:
    """Remember the operator's choices, for this login and the next ones."""
    OperatorPreference.objects.choose(request.user, **preference._asdict())
    request.session[ZONE], request.session[LANGUAGE] = preference
