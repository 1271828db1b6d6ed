"""A resource of this server: it takes Bearer tokens, and bound ones only from their senders."""

from django.http import HttpRequest, JsonResponse

from grant_management.contrib.oauth_toolkit.decorators import protected_resource


@protected_resource(["read"])
def accounts(request: HttpRequest) -> JsonResponse:
    """The user's accounts."""
    return JsonResponse({"owner": request.resource_owner.get_username()})
