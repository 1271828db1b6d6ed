"""The lists of users and roles, without search boxes: what is typed there would come into the URL.

The search of every page finds a user by the name.
"""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

admin.site.unregister([User, Group])


@admin.register(User)
class Users(UserAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Django's users."""

    search_fields = ()


@admin.register(Group)
class Roles(GroupAdmin):
    """Django's groups, which are the roles."""

    search_fields = ()
