"""A command of the bridge to django-oauth-toolkit in each file."""
