"""The floors, and the peer that is a Django app; below /api/, as the endpoint is."""

import json

from django.http import HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.views import IntrospectTokenView
from rest_framework.response import Response
from rest_framework.views import APIView

from grant_management.models import Grant


@csrf_exempt
def bare(request):
    """The floor of the framework: JSON in, JSON out."""
    members = json.loads(request.body)
    answer = {"resultCode": "A277001", "action": members["gmAction"], "responseContent": "{}"}
    response = HttpResponse(json.dumps(answer), content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


class StockView(APIView):
    """What a developer writes first: a parser, a query, a renderer."""

    authentication_classes = ()

    def post(self, request):
        """The scopes of a grant."""
        grant = Grant.objects.get(service_id=1001, grant_id=request.data["grantId"])
        return Response({"resultCode": "A277001", "responseContent": grant.scopes})


urlpatterns = [
    path("api/bare", bare),
    path("api/stock", StockView.as_view()),
    path("api/toolkit/introspect", IntrospectTokenView.as_view()),
    path("", include("grant_management.urls")),
]
