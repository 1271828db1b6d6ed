"""The commands of the bridge to django-oauth-toolkit."""
