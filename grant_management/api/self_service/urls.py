"""The route below `/api/{serviceId}/` that issues self-service tokens."""

from django.urls import re_path

from .tokens import TokenView

urlpatterns = [re_path(r"^self_service/token\Z", TokenView.as_view())]
