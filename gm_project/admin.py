"""The lists and the forms of users and roles: Django's, in the words of the console.

They have no search boxes: what is typed there would come into the URL. The search of every page
finds a user by the name.
"""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from grant_management.admin.kit.renamed import renamed

admin.site.unregister([User, Group])

WORDS: Final = {
    "is_active": (_("May log in"), _("Without it, nobody can log in as this user.")),
    "is_staff": (_("May open the console"), _("Roles say what the user sees and does there.")),
    "is_superuser": (
        _("May do everything"),
        _("Has every permission, whatever the roles and organizations are."),
    ),
    "groups": (_("Roles"), _("A user may do what any of the roles allows.")),
    "user_permissions": (_("Further permissions"), _("Those that no role of the user has.")),
}
"""The label and the help of a field, in place of Django's."""


def _role_name(role: Group) -> str:
    """The role's name, in the language of the page."""
    return gettext(role.name)


class _InWords(admin.FieldListFilter):
    """A filter under the label that its field has in the form."""

    def __init__(self, field: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, *args, **kwargs)
        self.title = WORDS[field.name][0]


class _YesOrNo(_InWords, admin.BooleanFieldListFilter):
    """Whether the users may."""


class _OfRole(_InWords, admin.RelatedFieldListFilter):
    """The users of a role."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """The key and the name of each role."""
        return [(role.pk, _role_name(role)) for role in Group.objects.order_by("name")]


@admin.register(User)
class Users(UserAdmin):  # type: ignore[type-arg]
    """Django's users. Roles are checkboxes, and permissions are chosen in a plain list, which a
    screen reader can read. No field takes a time, since none would show UTC beside it.
    """

    search_fields = ()
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    list_display = ("username", "may_log_in", "may_open", "may_do_everything", "last_login")
    list_filter = (
        ("is_active", _YesOrNo),
        ("is_staff", _YesOrNo),
        ("is_superuser", _YesOrNo),
        ("groups", _OfRole),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The field, with a label and a help text that say what it does."""
        if db_field.name in WORDS:
            kwargs["label"], kwargs["help_text"] = WORDS[db_field.name]
        if db_field.name == "groups":  # few: no key has to be held down to choose several
            kwargs["widget"] = forms.CheckboxSelectMultiple()
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "groups":
            field.label_from_instance = _role_name
            field.widget.can_add_related = False  # Django would call it a group
        return field

    @admin.display(boolean=True, ordering="is_active", description=WORDS["is_active"][0])
    def may_log_in(self, user: User) -> bool:
        """Whether the user may log in."""
        return user.is_active

    @admin.display(boolean=True, ordering="is_staff", description=WORDS["is_staff"][0])
    def may_open(self, user: User) -> bool:
        """Whether the user may open the console."""
        return user.is_staff

    @admin.display(boolean=True, ordering="is_superuser", description=WORDS["is_superuser"][0])
    def may_do_everything(self, user: User) -> bool:
        """Whether the user has every permission."""
        return user.is_superuser


@admin.register(Group)
class Roles(GroupAdmin):
    """Django's groups, which are the roles; their permissions are chosen in a plain list."""

    search_fields = ()
    filter_horizontal = ()
    list_display = ("role",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.opts = renamed(self.opts, _("role"), _("roles"))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Django's page of the list, which calls them roles."""
        page: ChangeList = super().get_changelist_instance(request)
        page.opts = self.opts
        return page

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What Django finds, in these words: the roles, and how many users have them."""
        _named, _numbers, lacking, protected = super().get_deleted_objects(objs, request)
        role, roles = self.opts.verbose_name, self.opts.verbose_name_plural
        users = User.objects.filter(groups__in=list(objs)).distinct().count()
        numbers = {roles: len(objs), _("users who have them"): users}
        return [self._named(one) for one in objs], numbers, {role} if lacking else set(), protected

    def _named(self, role: Group) -> str:
        """What it is and its name, which leads to its page."""
        url = reverse("admin:auth_group_change", args=[role.pk], current_app=self.admin_site.name)
        what = capfirst(str(self.opts.verbose_name))
        return format_html('{}: <a href="{}">{}</a>', what, url, _role_name(role))

    @admin.display(description=_("name"), ordering="name")
    def role(self, role: Group) -> str:
        """The role's name, in the language of the page."""
        return _role_name(role)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django's list, under the name that the navigation has for it; and its question whether
        to delete what is selected.
        """
        shown = super().changelist_view(request, {"title": _("Roles")} | (extra_context or {}))
        if isinstance(shown, TemplateResponse) and shown.context_data is not None:
            shown.context_data["opts"] = self.opts
        return shown
