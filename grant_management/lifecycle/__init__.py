"""The lifecycle of a grant, for any authorization server in Python.

`begin` validates an authorization request, before the user is asked. `complete` writes what the
user consented to. `issue` and `rotate` make the tokens that belong to the grant, and
`change_access_token` changes one. All take the time
from the database. All but `begin` decide under a lock, and start again if the database aborted them
because of a concurrent operation. A concurrent revoke wins: no token is issued after it.
"""

from .changing import TokenChange, change_access_token
from .consent import Authorization, GrantAction, begin, complete
from .issuing import NEVER, Binding, Issue, Issued, issue, report_reuse, rotate
from .refusal import LifecycleError

__all__ = [
    "NEVER",
    "Authorization",
    "Binding",
    "GrantAction",
    "Issue",
    "Issued",
    "LifecycleError",
    "TokenChange",
    "begin",
    "change_access_token",
    "complete",
    "issue",
    "report_reuse",
    "rotate",
]
