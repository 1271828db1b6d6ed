"""Grant management for django-oauth-toolkit: one app, one include, one validator class.

```python
BRIDGE = "grant_management.contrib.oauth_toolkit"
INSTALLED_APPS = [..., "oauth2_provider", "grant_management", BRIDGE]
OAUTH2_PROVIDER = {"OAUTH2_VALIDATOR_CLASS": f"{BRIDGE}.validator.GrantManagementValidator"}
urlpatterns = [path("o/", include("grant_management.contrib.oauth_toolkit.urls")), ...]
```
"""
