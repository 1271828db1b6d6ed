"""How a server can fail each check of the conformance suite."""

from dataclasses import replace

from .authority import MORE, SCOPE, Answer

# Twists: answers to requests like this are changed.


def on(door, change, **conditions):
    def twist(asked, answer):
        alike = all(getattr(asked, name) == value for name, value in conditions.items())
        return change(answer) if asked.door == door and alike else answer

    return twist


def metadata(change):
    return on("metadata", change)


def authorized(change, **conditions):
    return on("authorize", change, **conditions)


def refreshed(change, **conditions):
    return on("token", change, **conditions)


def gm(change, **conditions):
    return on("gm", change, **conditions)


def shown(change):
    """What the client's query of a living grant comes to."""
    return gm(change, method="GET", who="client", which="live")


# Changes of an answer


def status(number):
    return lambda answer: replace(answer, status=number)


def but(**members):
    return lambda answer: answer.but(**members)


def value(new, number=200):
    return lambda answer: Answer(number, new)


def error(code, number=200):
    return value({"error": code}, number)


def field(name, *values):
    return lambda answer: answer.field(name, *values)


def body(content, kind="application/json"):
    return lambda answer: replace(answer, body=content).field("Content-Type", kind)


def raw(*parts):
    return lambda answer: parts


# What may come in place of a JSON object with status 200, and the reason that is given.
NO_OBJECT = (
    ("404", value(None, 404), "200, got 404"),
    ("500", status(500), "200, got 500"),
    ("moved", status(302), "200, got 302"),
    ("no JSON", body(b"<html>"), "cannot be read"),
    ("nothing", body(b""), "cannot be read"),
    ("an array", value([]), "no JSON object"),
    ("a string", value("access_token"), "no JSON object"),
    ("null", body(b"null"), "no JSON object"),
    ("not UTF-8", body(b'{"a":"\xff"}'), "not UTF-8"),
    ("NaN", body(b'{"a":NaN}'), "cannot be read"),
    ("a member twice", body(b'{"a":1,"a":2}'), "cannot be read"),
    ("nested deeply", body(b'{"a":' + b"[" * 100_000), "cannot be read"),
    ("a long number", body(b'{"a":' + b"1" * 10_000 + b"}"), "cannot be read"),
    ("broken off", field("Content-Length", "9999"), "IncompleteRead"),
    ("huge", body(b" " * 1024 * 1024 + b"{}"), "more than 1048576 bytes"),
)
# What may come in place of a refusal of a dead refresh token.
NOT_REFUSED = (
    ("works", value({"access_token": "a"}), "400, got 200"),
    ("500", status(500), "400, got 500"),
    ("401", status(401), "400, got 401"),
    ("another client", error("invalid_client", 401), "400, got 401"),
    ("another error", error("invalid_client", 400), "got invalid_client"),
    ("no error", value({}, 400), "got no error"),
    ("an error that is no string", error(["invalid_grant"], 400), "expected the error"),
    ("an array", value(["invalid_grant"], 400), "no JSON object"),
    ("no JSON", body(b"invalid_grant"), "cannot be read"),
    ("tokens", value({"error": "invalid_grant", "access_token": "a"}, 400), "beside the error"),
)
# What may be wrong about a refresh token of a grant that lives: that it dies then shows nothing.
NO_REFRESH = (
    ("400", error("invalid_grant", 400), "refresh: HTTP 400"),
    ("500", status(500), "refresh: HTTP 500"),
    ("no token", value({}), "no access_token"),
    ("no JSON", body(b""), "cannot be read"),
    ("a refresh token of a number", but(refresh_token=5), "refresh_token"),
)
TOKENS = {"access_token": "at-of-a-liar", "grant_id": "grant-of-a-liar"}
# What may come in place of the error of an authorization request.
GRANTED = (
    ("granted", value(TOKENS), "got no error"),
    ("nothing", value({}), "got no error"),
    ("another error", error("invalid_scope"), "got invalid_scope"),
    ("an error that starts like it", error("invalid_request_or_grant_id"), "got invalid_request_"),
    ("an error in another case", error("INVALID_REQUEST"), "got INVALID_REQUEST"),
    ("an error that is no string", error(["invalid_request", "invalid_grant_id"]), "expected the"),
    ("tokens", but(**TOKENS), "beside the error"),
)
BAD_REQUESTS = (
    ("GM-08", {"action": "create", "which": "live"}),
    ("GM-09", {"action": None, "which": "live"}),
    ("GM-10", {"action": "conformance"}),
    ("GM-11", {"action": "merge", "which": "none"}),
    ("GM-11", {"action": "replace", "which": "none"}),
    ("GM-12", {"action": "merge", "which": "unknown"}),
    ("GM-12", {"action": "replace", "which": "unknown"}),
    ("GM-13", {"action": "merge", "which": "other"}),
    ("GM-13", {"action": "replace", "which": "other"}),
)
ACTIONS, ENDPOINT = "grant_management_actions_supported", "grant_management_endpoint"
REQUIRED = "grant_management_action_required"


def endpoint(url):
    return metadata(but(**{ENDPOINT: url}))


def scopes(*entries):
    """Beside what was consented to."""
    return shown(but(scopes=[{"scope": SCOPE}, *entries]))


def details(*entries):
    return shown(but(authorization_details=list(entries)))


def challenge(*values):
    return field("WWW-Authenticate", *values)


def cache(*values):
    return shown(field("Cache-Control", *values))


def leaked(asked, answer):
    """The answer to the client's query, with its own access token in a name."""
    return answer.but(leak=[{asked.token: {}}]) if asked.door == "gm" else answer


def leaked_in_header(asked, answer):
    return answer.field("X-Token", f"<{asked.token}>") if asked.door == "gm" else answer


def leaked_by_escapes(asked, answer):
    if asked.door != "gm":
        return answer
    text = "".join(f"\\u{ord(one):04x}" for one in asked.token)
    return replace(answer, body=f'{{"claims":["{text}"]}}'.encode())


# Checks, what the server does, how, and a part of the reason.
FAULTS = [
    *(
        (number, f"metadata: {what}", metadata(change), reason)
        for number in ("GM-01", "GM-02", "GM-03")
        for what, change, reason in (*NO_OBJECT, ("HTML", body(b"{}", "text/html"), "not applica"))
    ),
    ("GM-01", "absent", metadata(but(**{ACTIONS: ...})), "no array"),
    ("GM-01", "null", metadata(but(**{ACTIONS: None})), "no array"),
    ("GM-01", "a string", metadata(but(**{ACTIONS: "query"})), "no array"),
    ("GM-01", "empty", metadata(but(**{ACTIONS: []})), "empty"),
    ("GM-01", "of the first draft", metadata(but(**{ACTIONS: ["query", "update"]})), "update"),
    ("GM-01", "in another case", metadata(but(**{ACTIONS: ["Query"]})), "Query"),
    ("GM-01", "a number in it", metadata(but(**{ACTIONS: [1]})), "unknown actions"),
    ("GM-01", "an array in it", metadata(but(**{ACTIONS: [["query"]]})), "unknown actions"),
    ("GM-02", "absent", endpoint(...), "has no"),
    ("GM-02", "null", endpoint(None), "has no"),
    ("GM-02", "an array", endpoint(["https://as.example/gm"]), "no string"),
    ("GM-02", "empty", endpoint(""), "no https URL"),
    ("GM-02", "http", endpoint("http://as.example/gm"), "it is http"),
    ("GM-02", "http to a name like localhost", endpoint("http://localhost.example"), "it is http"),
    ("GM-02", "another scheme", endpoint("ftp://localhost/gm"), "no https URL"),
    ("GM-02", "a file", endpoint("file:///etc/hosts"), "no https URL"),
    ("GM-02", "relative", endpoint("/gm"), "no https URL"),
    ("GM-02", "no host", endpoint("https:///gm"), "no host"),
    ("GM-02", "a query", endpoint("https://as.example/gm?a=b"), "query"),
    ("GM-02", "an empty query", endpoint("https://as.example/gm?"), "query"),
    ("GM-02", "a fragment", endpoint("https://as.example/gm#a"), "fragment"),
    ("GM-02", "a line feed", endpoint("https://as.example/\ngm"), "no https URL"),
    ("GM-02", "user information", endpoint("https://a@as.example/gm"), "user information"),
    ("GM-02", "a bad port", endpoint("https://as.example:x/gm"), "ValueError"),
    *(
        ("GM-03", f"{no!r}", metadata(but(**{REQUIRED: no})), "no boolean")
        for no in ("true", 0, 1, None, [])
    ),
    ("GM-04", "an error", authorized(error("server_error")), "server_error"),
    ("GM-04", "tokens beside an error", authorized(but(error="x")), "the error x"),
    ("GM-04", "no access token", authorized(but(access_token=...)), "no access_token"),
    ("GM-04", "an access token of a number", authorized(but(access_token=5)), "no access_token"),
    ("GM-04", "an empty access token", authorized(but(access_token="")), "no access_token"),
    ("GM-04", "a refresh token of a number", authorized(but(refresh_token=5)), "refresh_token"),
    ("GM-04", "an empty refresh token", authorized(but(refresh_token="")), "refresh_token"),
    ("GM-04", "no grant_id", authorized(but(grant_id=...)), "no grant_id"),
    ("GM-04", "null", authorized(but(grant_id=None)), "no grant_id"),
    ("GM-04", "an empty grant_id", authorized(but(grant_id="")), "no grant_id"),
    ("GM-04", "a grant_id of a number", authorized(but(grant_id=5)), "no grant_id"),
    *(
        ("GM-05", f"{bad!r}", authorized(but(grant_id=bad)), "reserved")
        for bad in ("a b", "a/b", "a?b", "a#b", "a%20b", "a:b", "a\n", "a\u0008", "ä", "+", "a=")
    ),
    ("GM-05", "a dot", authorized(but(grant_id=".")), "dot segment"),
    ("GM-05", "two dots", authorized(but(grant_id="..")), "dot segment"),
    ("GM-05", "none", authorized(but(grant_id=...)), "GM-04 failed"),
    *(
        ("GM-06", f"{bad}", authorized(but(authorization_response=bad)), reason)
        for bad, reason in (
            ({"code": "c", "grant_id": "g"}, "it has one"),
            ({"code": "c", "grant_id": None}, "it has one"),
            ({"error": "x"}, "an error"),
            ({}, "no object with members"),
            (["code"], "no object"),
            ("https://client.example/?grant_id=g", "no object"),
            (None, "no object"),
        )
    ),
    ("GM-06", "an error came back", authorized(error("access_denied")), "GM-04 failed"),
    ("GM-07", "an error", authorized(error("server_error"), number=2), "server_error"),
    ("GM-07", "no grant_id", authorized(but(grant_id=...), number=2), "no grant_id"),
    ("GM-07", "no token", authorized(but(access_token=...), number=2), "no access_token"),
    ("GM-07", "the same grant", "make another grant", "the same grant"),
    ("GM-07", "the first one dies", "keep earlier grants", "200, got 404"),
    ("GM-07", "one that is not there", authorized(but(grant_id="x"), number=2), "200, got 404"),
    ("GM-07", "a token of nobody", authorized(but(access_token="x"), number=2), "200, got 401"),
    *(
        (number, f"{conditions}: {what}", authorized(change, **conditions), reason)
        for number, conditions in BAD_REQUESTS
        for what, change, reason in GRANTED
    ),
    *(
        (number, "every request is refused", authorized(error(code)), "GM-04 failed")
        for number, code in (
            *((f"GM-{number:02}", "invalid_request") for number in (8, 9, 10, 11)),
            *((f"GM-{number:02}", "invalid_grant_id") for number in (12, 13)),
        )
    ),
    *(
        (number, f"{action}: {what}", authorized(change, action=action), reason)
        for number, action in (("GM-14", "merge"), ("GM-15", "replace"))
        for what, change, reason in (
            ("an error", error("invalid_request"), "the error invalid_request"),
            ("no access token", but(access_token=...), "no access_token"),
            ("no grant_id", but(grant_id=...), "no grant_id"),
            ("another grant_id", but(grant_id="another"), "grant_id became another"),
        )
    ),
    *(
        (number, f"{door}: {what}", on(door, change, number=nth), reason)
        for number in ("GM-14", "GM-15", "GM-31")
        for door, nth, changes in (("token", 2, NOT_REFUSED), ("token", 1, NO_REFRESH))
        for what, change, reason in changes
    ),
    *(
        (number, f"content: {what}", shown(change), reason)
        for number in ("GM-14", "GM-15", "GM-20", "GM-21", "GM-22", "GM-23")
        for what, change, reason in NO_OBJECT
    ),
    *(
        (number, f"scopes: {bad}", shown(but(scopes=bad)), reason)
        for number in ("GM-14", "GM-15")
        for bad, reason in (
            ("accounts", "no array"),
            (["accounts"], "no object"),
            ([{"scope": ["accounts"]}], "no scope string"),
            (..., "lacks"),
            ([], "lacks"),
            ([{"scope": f"{SCOPE} {MORE} admin"}], "admin"),
        )
    ),
    ("GM-14", "nothing is added", "add on merge", f"lacks ['{MORE}']"),
    ("GM-14", "a merge replaces", "keep on merge", "lacks ['grant_management_query'"),
    ("GM-14", "refresh tokens live on", "kill refresh tokens on merge", "400, got 200"),
    ("GM-15", "a replace merges", "empty on replace", MORE),
    ("GM-15", "refresh tokens live on", "kill refresh tokens on replace", "400, got 200"),
    *(
        (number, f"{method}: {what}", gm(change, method=method, who=who), reason)
        for method in ("GET", "DELETE")
        for number, who, wanted in (
            ("GM-16", "nobody", 401),
            ("GM-17", "stranger", 401),
            ("GM-18", "weak", 403),
        )
        for what, change, reason in (
            ("200", status(200), f"{wanted}, got 200"),
            ("204", value(None, 204), f"{wanted}, got 204"),
            ("404", status(404), f"{wanted}, got 404"),
            ("500", status(500), f"{wanted}, got 500"),
            ("refused otherwise", status(804 - wanted), f"{wanted}, got {804 - wanted}"),
        )
    ),
    *(
        (number, f"{method}, {values}", gm(challenge(*values), method=method, who=who), reason)
        for method in ("GET", "DELETE")
        for number, who, reason in (
            ("GM-16", "nobody", "no challenge for Bearer"),
            ("GM-17", "stranger", "no challenge for Bearer"),
        )
        for values in ((), ("",), ('Basic realm="a"',), ('realm="Bearer"',), ("Bearer a b",))
    ),
    *(
        (
            "GM-17",
            f"{method}, {values}",
            gm(challenge(*values), method=method, who="stranger"),
            "is",
        )
        for method in ("GET", "DELETE")
        for values in (
            ("Bearer",),
            ('Bearer error="insufficient_scope"',),
            ('Bearer error="not_invalid_token"',),
            ('Bearer error="invalid_token_or_not"',),
            ('Bearer error="INVALID_TOKEN"',),
            ('Bearer error_description="invalid_token"',),
            ('Bearer error="a", error_description="error=\\"invalid_token\\""',),
            ('Bearer error="invalid_request", error="invalid_token"',),
            ('Bearer error="invalid_token',),
            ('Bearer realm="a", error=invalid token',),
            ('Bearer, Basic error="invalid_token"',),
            ('Bearer error="invalid_token", DPoP error="invalid_dpop_proof"',),
        )
    ),
    *(
        (
            number,
            f"the client: {refusal}",
            shown(status(refusal)),
            f"must succeed is HTTP {refusal}",
        )
        for number, refusal in (
            ("GM-16", 401),
            ("GM-17", 401),
            ("GM-18", 403),
            ("GM-25", 404),
            ("GM-26", 404),
            ("GM-27", 403),
            ("GM-32", 401),
        )
    ),
    *(("GM-19", what, shown(change), reason) for what, change, reason in NO_OBJECT),
    ("GM-19", "no media type", shown(field("Content-Type")), "media type is none"),
    ("GM-19", "HTML", shown(field("Content-Type", "text/html")), "text/html"),
    ("GM-19", "a type like it", shown(field("Content-Type", "application/jsonp")), "media type"),
    ("GM-19", "two types", shown(field("Content-Type", "application/json", "text/html")), "media"),
    *(
        ("GM-19", f"Cache-Control {values}", cache(*values), "lacks no-store")
        for values in (
            (),
            ("",),
            ("no-cache, private",),
            ("no-stored",),
            ("x-no-store",),
            ("x=no-store",),
            ('private="no-store"',),
            ('private="a, no-store, b"',),
        )
    ),
    ("GM-20", "absent", shown(but(scopes=...)), "not shown"),
    ("GM-20", "empty", shown(but(scopes=[])), "not shown"),
    ("GM-20", "of no scope", shown(but(scopes=[{"scope": "a"}])), "not shown"),
    ("GM-20", "null", shown(but(scopes=None)), "no array"),
    ("GM-20", "an object", shown(but(scopes={"scope": SCOPE})), "no array"),
    ("GM-20", "a string in it", scopes("a"), "no object"),
    ("GM-20", "no scope", scopes({"resource": []}), "no scope"),
    ("GM-20", "an array as scope", scopes({"scope": ["a"]}), "no scope"),
    *(
        ("GM-20", f"scope {bad!r}", scopes({"scope": bad}), "one has no scope")
        for bad in ("", " ", "a  b", " a", "a\tb", 'a"b', "a\\b", "ä")
    ),
    ("GM-20", "a resource that is a string", scopes({"scope": "a", "resource": "urn:a"}), "no arr"),
    ("GM-20", "null as resource", scopes({"scope": "a", "resource": None}), "no array"),
    *(
        (
            "GM-20",
            f"resource {bad!r}",
            scopes({"scope": "a", "resource": ["urn:a", bad]}),
            "absolute",
        )
        for bad in ("/a", "a", "", "//a/b", "https:", "https://", "https:///a", "https://a/#b", 5)
    ),
    *(
        ("GM-20", f"resource {bad!r}", scopes({"scope": "a", "resource": [bad]}), "absolute")
        for bad in (None, {}, "https://a b", "https://a/\n", "https://ä/", "1a:b")
    ),
    ("GM-21", "null", shown(but(claims=None)), "no array"),
    ("GM-21", "an object", shown(but(claims={"name": None})), "no array"),
    ("GM-21", "a string", shown(but(claims="name")), "no array"),
    *(
        ("GM-21", f"{bad!r} in it", shown(but(claims=["name", bad])), "no name")
        for bad in ("", 1, None, ["a"], {"a": 1})
    ),
    ("GM-22", "null", shown(but(authorization_details=None)), "no array"),
    ("GM-22", "an object", shown(but(authorization_details={"type": "a"})), "no array"),
    *(
        ("GM-22", f"{bad!r} in it", details({"type": "a"}, bad), reason)
        for bad, reason in (
            ({}, "no type"),
            ({"type": ""}, "no type"),
            ({"type": 5}, "no type"),
            ({"type": None}, "no type"),
            ({"Type": "a"}, "no type"),
            ("a", "no object"),
            (None, "no object"),
            ([], "no object"),
        )
    ),
    *(
        ("GM-23", f"{name}: {bad!r}", shown(but(**{name: bad})), f"{name} is no time")
        for name in ("created_at", "expires_at", "last_updated", "last_updated_at")
        for bad in ("1700000000", True, None, -1, 1700000000000, [1700000000])
    ),
    ("GM-23", "infinite", shown(body(b'{"created_at":1e999}')), "created_at is no time"),
    *(
        ("GM-23", f"updated_by: {bad!r}", shown(but(updated_by=bad)), "updated_by is")
        for bad in ("me", "Client", "", None, 1, ["client"])
    ),
    *(
        ("GM-24", what, twist, "a token is in it")
        for what, twist in (
            ("in a name", leaked),
            ("in a header", leaked_in_header),
            ("by escapes", leaked_by_escapes),
        )
    ),
    ("GM-24", "tokens of somebody", shown(but(a=[{"refresh_token": "x"}])), "has refresh_token"),
    ("GM-24", "a token of somebody", shown(but(access_token="x")), "has access_token"),
    *(("GM-24", what, shown(change), reason) for what, change, reason in NO_OBJECT),
    *(
        ("GM-25", f"{slash!r}: {number}", gm(status(number), grant_id=slash), f"got {number}")
        for slash in ("", "/")
        for number in (200, 204, 301, 429, 500, 503)
    ),
    *(
        ("GM-26", f"{method}: {number}", gm(status(number), method=method, which="unknown"), "404")
        for method in ("GET", "DELETE")
        for number in (200, 204, 400, 401, 403, 410, 500)
    ),
    *(
        ("GM-27", f"{method}: {number}", gm(status(number), method=method, which="other"), "403 or")
        for method in ("GET", "DELETE")
        for number in (200, 204, 400, 401, 500)
    ),
    *(
        ("GM-28", f"{method}: {number}", gm(status(number), method=method), "expected HTTP 405")
        for method in ("POST", "PUT", "PATCH")
        for number in (200, 204, 400, 403, 404, 500, 501)
    ),
    *(
        ("GM-28", f"{method}: Allow {values}", gm(field("Allow", *values), method=method), reason)
        for method in ("POST", "PUT", "PATCH")
        for values, reason in (
            ((), "Allow lacks"),
            (("",), "Allow lacks"),
            (("GET",), "Allow lacks ['DELETE']"),
            (("DELETE",), "Allow lacks ['GET']"),
            (("get, delete",), "Allow lacks"),
            ((f"GET, DELETE, {method}",), f"Allow has {method}"),
        )
    ),
    *(
        ("GM-29", what, gm(change, method="DELETE"), reason)
        for what, change, reason in (
            ("200", status(200), "204, got 200"),
            ("202", status(202), "204, got 202"),
            ("404", status(404), "204, got 404"),
            ("500", status(500), "204, got 500"),
            ("a body", body(b"{}"), "it has a body"),
            ("a length", field("Content-Length", "2"), "Content-Length is 2"),
            ("a coding", field("Transfer-Encoding", "chunked"), "Transfer-Encoding"),
            ("a chunk", raw(b"HTTP/1.1 204 No Content\r\n\r\n", b"0\r\n\r\n"), "it has a body"),
        )
    ),
    ("GM-30", "the grant lives on", "kill the grant", "404, got 200"),
    *(
        ("GM-30", f"{method}: {number}", gm(status(number), method=method, which="dead"), "404")
        for method in ("GET", "DELETE")
        for number in (200, 204, 401, 403, 410, 500)
    ),
    ("GM-30", "was never seen", gm(status(404), who="outliving"), "must succeed is HTTP 404"),
    ("GM-31", "refresh tokens live on", "kill refresh tokens on revoke", "400, got 200"),
    ("GM-32", "access tokens live on", "kill access tokens on revoke", "401, got 404"),
    *(
        (
            "GM-32",
            f"{number}",
            gm(status(number), who="stranger", which="dead"),
            "expected HTTP 401",
        )
        for number in (200, 403, 404, 500)
    ),
    *(
        (number, f"the revoke: {what}", gm(change, method="DELETE", who="client"), "GM-29 failed")
        for number in ("GM-30", "GM-31", "GM-32")
        for what, change in (("500", status(500)), ("404", status(404)), ("no answer", raw()))
    ),
]

# What a server may do, and pass: check, what, how.
VARIANTS = [
    *(
        ("GM-17", values, gm(challenge(*values), who="stranger"))
        for values in (
            ("bearer ERROR=invalid_token",),
            ('BEARER error = "invalid_token"',),
            ('DPoP algs="ES256 PS256", error="invalid_token"',),
            ('Basic realm="a, b", Bearer realm="c\\"d", error="invalid_token"',),
            ("Basic abc==", ', ,Bearer error="inv\\alid_token",'),
            ('Bearer error="invalid_token", DPoP algs="ES256"',),
        )
    ),
    ("GM-19", "a media type in capitals", shown(field("Content-Type", "Application/JSON ; a=b"))),
    *(
        ("GM-19", values, cache(*values))
        for values in (
            ("No-Store",),
            ("NO-CACHE,NO-STORE",),
            ('private="a, b" , no-store',),
            ("private", "no-store"),
        )
    ),
    ("GM-02", "https", endpoint("https://as.example/gm/")),
    ("GM-02", "https in capitals", endpoint("HTTPS://as.example:8443/gm")),
    ("GM-25", "other refusals", gm(status(405), which="none")),
    ("GM-27", "not told to be there", gm(status(404), which="other")),
    ("GM-28", "lines of Allow", gm(field("Allow", "HEAD, GET", "DELETE"), method="PUT")),
    ("GM-29", "a length of none", gm(field("Content-Length", "0"), method="DELETE")),
    ("GM-31", "no rotation", refreshed(but(refresh_token=...))),
]

# What is no response to any request: parts that are sent, and a part of the reason.
NO_RESPONSE = [
    ("no byte", (), "RemoteDisconnected"),
    ("another protocol", (b"\x16\x03\x01\x02\x00",), "BadStatusLine"),
    ("no status", (b"HTTP/1.1 abc\r\n\r\n",), "BadStatusLine"),
    ("a status of two digits", (b"HTTP/1.1 20 OK\r\n\r\n",), "BadStatusLine"),
    ("a long line", (b"HTTP/1.1 200 " + b"a" * 70_000 + b"\r\n\r\n",), "LineTooLong"),
    ("a long field", (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70_000 + b"\r\n\r\n",), "LineTooLong"),
    ("many fields", (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n",), "HTTPException"),
    ("half a body", (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}",), "IncompleteRead"),
    (
        "half a chunk",
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",),
        "IncompleteRead",
    ),
    (
        "no chunk",
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\x1b[2J\r\n{}",),
        "IncompleteRead",
    ),
    (
        "a huge body",
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", *(b" " * 65536,) * 32),
        "more than 1048576 bytes",
    ),
]
