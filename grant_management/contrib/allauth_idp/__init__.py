"""Grant management for `allauth.idp.oidc`: one app, one include, one adapter.

```python
BRIDGE = "grant_management.contrib.allauth_idp"
INSTALLED_APPS = [..., "allauth.idp.oidc", "grant_management", BRIDGE]
IDP_OIDC_ADAPTER = f"{BRIDGE}.adapter.GrantManagementAdapter"
urlpatterns = [path("", include("grant_management.contrib.allauth_idp.urls")), ...]
```
"""
