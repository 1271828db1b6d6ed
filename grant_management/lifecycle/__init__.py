"""The grant's life, for any authorization server in Python: begin, complete; issue, rotate.

`begin` validates an authorization request, before the user is asked. `complete` writes what the
user consented to. `issue` and `rotate` make the tokens that belong to the grant. Each takes the
time from the database, decides under the grant's lock, and begins again where the database broke
it off because of another one. Beside a revoke, the revoke wins: no token outlives it.
"""

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
    "begin",
    "complete",
    "issue",
    "report_reuse",
    "rotate",
]
