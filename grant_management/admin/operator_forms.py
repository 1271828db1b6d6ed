"""The forms that create and change operators. Nobody gives away a role or an organization that they
lack, nor changes an operator who has more than they have.
"""

from typing import Any, Final

from django import forms
from django.contrib.auth import get_user_model, password_validation
from django.contrib.auth.models import AbstractUser, Group, Permission
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import Organization, OrganizationMember
from ..roles import ROLES
from .kit.read_only import limited, organizations
from .kit.reasons import NoteForm

MANAGE: Final = "grant_management.manage_operator"


def is_usable() -> bool:
    """Whether the host's users are Django's, or a subclass of them: others have their own pages."""
    return issubclass(get_user_model(), AbstractUser)


def permissions_of(user: Any) -> set[str]:
    """The permissions of a user, active or not, as `app.codename`."""
    given = Permission.objects.filter(Q(group__user=user) | Q(user=user)).distinct()
    named = given.values_list("content_type__app_label", "codename")
    also: set[str] = user.get_all_permissions()
    return {f"{app}.{codename}" for app, codename in named} | also


def roles_of(request: HttpRequest) -> "QuerySet[Group]":
    """The roles that this operator has all permissions of."""
    mine = request.user
    roles = Group.objects.filter(name__in=ROLES).order_by("pk")
    if mine.is_superuser:
        return roles
    has = permissions_of(mine) if mine.is_active else set()
    given = [role.pk for role in roles if _named(role) <= has]
    return roles.filter(pk__in=given)


def _named(role: Group) -> set[str]:
    rows = role.permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def may_change(request: HttpRequest, user: Any) -> bool:
    """Whether this operator has everything that the user has, and is somebody else."""
    mine = request.user
    if user.pk == mine.pk:
        return False
    if mine.is_superuser:
        return True
    if user.is_superuser or not permissions_of(user) <= permissions_of(mine):
        return False
    seen, sees = organizations(request), OrganizationMember.objects.organizations_of(user)
    return seen is None or (sees is not None and bool(sees) and set(sees) <= set(seen))


class _Roles(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        """The role's name, in the language of the page."""
        return gettext(obj.name)


class OperatorForm(NoteForm):
    """What an operator may do and see. The choices are those that the acting operator has."""

    may_log_in = forms.BooleanField(label=_("May log in"), required=False, initial=True)
    roles = _Roles(
        Group.objects.none(),
        label=_("Roles"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Each role includes those before it. The list has the roles that you have."),
    )
    all_organizations = forms.BooleanField(
        label=_("All organizations"),
        required=False,
        help_text=_("Includes organizations created later"),
    )
    organizations = forms.ModelMultipleChoiceField(
        Organization.objects.none(),
        label=_("Organizations"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("Password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def limit(self, request: HttpRequest) -> Any:
        """Limit the choices to what this operator has, and return the form."""
        chosen: Any = self.fields["roles"]
        chosen.queryset = roles_of(request)
        seen: Any = self.fields["organizations"]
        seen.queryset = limited(Organization.objects.order_by("name"), request, "pk")
        if organizations(request) is not None:
            del self.fields["all_organizations"]
            seen.required = True
        return self

    def clean(self) -> dict[str, Any]:
        """The values. Errors: organizations beside all of them, a password that is weak or was
        typed differently.
        """
        values: dict[str, Any] = super().clean() or {}
        if values.get("all_organizations") and values.get("organizations"):
            self.add_error("organizations", _("Choose some organizations, or all of them."))
        if values.get("password") != values.get("again"):
            self.add_error("again", _("The two passwords differ."))
        elif values.get("password"):
            try:
                password_validation.validate_password(values["password"])
            except forms.ValidationError as error:
                self.add_error("password", error)
        return values


class NewOperatorForm(OperatorForm):
    """A new user of the admin."""

    username = forms.CharField(label=_("User name"))
    field_order = (
        "username",
        "password",
        "again",
        "may_log_in",
        "roles",
        "all_organizations",
        "organizations",
        "note",
        "ticket",
    )

    def clean_username(self) -> str:
        """The name. ValidationError: it is not one, or somebody has it."""
        model: Any = get_user_model()
        field = model._meta.get_field(model.USERNAME_FIELD)
        name: str = model.normalize_username(self.cleaned_data["username"])
        field.clean(name, None)
        if model._default_manager.filter(**{model.USERNAME_FIELD: name}).exists():
            raise forms.ValidationError(_("A user of this name exists."))
        return name


class ChangeOperatorForm(OperatorForm):
    """Changes of a user of the admin; without a password it stays as it is."""

    field_order = (
        "may_log_in",
        "roles",
        "all_organizations",
        "organizations",
        "password",
        "again",
        "note",
        "ticket",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password", "again"):
            self.fields[name].required = False
        self.fields["password"].label = _("New password")
        self.fields["password"].help_text = _("Empty: it stays as it is.")
