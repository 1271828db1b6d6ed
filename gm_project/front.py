"""The page at `/`: what this server is."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from grant_management.api.errors import MethodNotAllowed, json_response, refusal_response
from grant_management.conf import DOCUMENTS

NAME: Final = "Grant Management for OAuth 2.0"
_PAGE: Final = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{NAME}</title>
<h1>{NAME}</h1>
<p>This server answers API calls. <a href="{DOCUMENTS}">Read the documents</a>.</p>
</html>
"""
_JSON: Final = f'{{"name":"{NAME}","documentation":"{DOCUMENTS}"}}'


@csrf_exempt
def front(request: HttpRequest) -> HttpResponse:
    """The name of this server and the address of its documents: HTML for a browser, else JSON.

    Nothing else is said, such as a version, since anybody may ask. DisallowedHost: the Host is not
    one of ALLOWED_HOSTS. Where only the API is served, no middleware has looked at it.
    """
    request.get_host()
    if request.method not in ("GET", "HEAD"):
        return refusal_response(MethodNotAllowed("GET", "HEAD"))
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        response = HttpResponse(_PAGE)
    else:
        response = json_response(_JSON)
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept"
    return response
