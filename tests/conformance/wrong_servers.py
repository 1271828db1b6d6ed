"""Three small servers that are wrong in known ways, and the checks that each of them fails."""

from grant_management.conformance.checks import CHECKS

from ..authority import Answer, Authority

ALL = {check.number for check in CHECKS}


class Yes(Authority):
    """Answers everything with 200 and the same object, authorization requests too."""

    # Five pass by chance, or are skipped: the object has what they look at, or nothing of it.
    fails = ALL - {"GM-02", "GM-03", "GM-04", "GM-05", "GM-06"}

    def answer(self, asked):
        return Answer(
            value={
                "grant_management_endpoint": f"{self.base}/gm",
                "access_token": "yes-token",
                "refresh_token": "yes-refresh",
                "grant_id": "yes-grant",
                "scopes": "all",
                "claims": [1],
                "authorization_details": [{}],
                "created_at": "yesterday",
            },
            headers=(("Content-Type", "text/html"),) if asked.door == "gm" else Answer().headers,
        )


class Keeper(Authority):
    """Acknowledges every revoke, of other clients' grants too, and revokes nothing."""

    fails = {"GM-27", "GM-30", "GM-31", "GM-32"}

    def gm(self, asked):
        if asked.method == "DELETE" and asked.which in ("live", "other") and self.may(asked):
            return Answer(204, headers=())
        return super().gm(asked)

    def may(self, asked):
        return asked.who in ("client", "outliving")


class Leaker(Authority):
    """Shows any grant to whoever has a token of anybody, lists them, and never looks at scopes."""

    fails = {"GM-18", "GM-25", "GM-27"}

    def gm(self, asked):
        if asked.who in ("nobody", "stranger"):
            return super().gm(asked)
        if asked.which == "none" and asked.method == "GET":
            return Answer(value={"grants": sorted(self.grants)})
        if asked.which == "other" and asked.method == "GET":
            return Answer(value={"scopes": [{"scope": "accounts"}]})
        return super().gm(asked) if asked.who != "weak" else self.to_anybody(asked)

    def to_anybody(self, asked):
        if asked.which != "live":
            return Answer(404)
        grant = self.grants[asked.grant_id]
        return self.query(grant) if asked.method == "GET" else self.revoke(asked.grant_id, grant)


WRONG = (Yes, Keeper, Leaker)
