"""Members of organizations: which operator sees which organizations. Only an operator who sees all
of them can add or remove members, so nobody can widen their own view.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from ..models import OrganizationMember
from .kit.read_only import ReadOnlyAdmin, operator, organizations


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """A user, and one organization or, by a box of its own, all of them."""

    user = forms.ModelChoiceField(get_user_model()._default_manager.none(), label=_("User"))
    all_organizations = forms.BooleanField(
        label=_("All organizations"),
        required=False,
        help_text=_("Includes organizations created later. Leave Organization empty."),
    )

    class Meta:
        model = OrganizationMember
        fields = ("organization",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users: Any = self.fields["user"]
        users.queryset = get_user_model()._default_manager.all()

    def _get_validation_exclusions(self) -> set[str]:
        """Exclude user and organization, which were found among the choices. Django would look them
        up again: the user in this app's database, and the organization at a replica.
        """
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"user", "organization"}

    def clean(self) -> dict[str, Any]:
        """Set the user by its key, since users may be in another database.

        ValidationError: neither or both of an organization and all of them are chosen, or the user
        is such a member already.
        """
        values: dict[str, Any] = super().clean() or {}
        user, organization = values.pop("user", None), values.get("organization")
        if (organization is None) != bool(values.get("all_organizations")):
            raise forms.ValidationError(_("Choose an organization, or all of them."))
        if user is not None:
            self.instance.user_id = user.pk
            known = OrganizationMember.objects.filter(user_id=user.pk, organization=organization)
            if known.exists():
                raise forms.ValidationError(_("This user already has this membership."))
        return values


@admin.register(OrganizationMember)
class OrganizationMemberAdmin(ReadOnlyAdmin[OrganizationMember]):
    """Memberships. Each change writes an event that names the operator who made it."""

    organization_path = "organization"
    form = MemberForm
    fields = ("user", "organization", "all_organizations")
    list_display = ("username", "sees")
    list_select_related = ("organization",)

    @admin.display(description=_("user"))
    def username(self, member: OrganizationMember) -> str:
        """The user's name; the user's key where the user no longer exists."""
        return member.username

    @admin.display(description=_("organization"))
    def sees(self, member: OrganizationMember) -> Any:
        """The organization, or a text for all of them."""
        return member.organization or _("All organizations")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's fields for a new membership; two read-only columns for an existing one."""
        return self.fields if obj is None else ("username", "sees")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Every field of an existing membership: to change it, remove it and add another one."""
        return () if obj is None else ("username", "sees")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Django's page of the list, with the names of all its users read by 1 query."""
        page = super().get_changelist_instance(request)
        users = get_user_model()._default_manager.in_bulk([row.user_id for row in page.result_list])
        for row in page.result_list:
            if row.user_id in users:
                row.username = users[row.user_id].get_username()
        return page

    def save_model(
        self, request: HttpRequest, obj: OrganizationMember, form: Any, change: bool
    ) -> None:
        """Add the new membership, with its event."""
        obj.add(operator(request))

    def delete_model(self, request: HttpRequest, obj: OrganizationMember) -> None:
        """Remove the membership, with its event; warn where the user has no other one."""
        obj.remove(operator(request))
        self._say_what_is_left(request, [obj])

    def delete_queryset(
        self, request: HttpRequest, queryset: "QuerySet[OrganizationMember]"
    ) -> None:
        """Remove several memberships as `delete_model` does, with an event for each."""
        gone = list(queryset)
        for member in gone:
            member.remove(operator(request))
        self._say_what_is_left(request, gone)

    def response_delete(
        self, request: HttpRequest, obj_display: str, obj_id: Any
    ) -> HttpResponseRedirect:
        """Go back to the list. Django would go to the index, since no member can be changed."""
        super().response_delete(request, obj_display, obj_id)
        return HttpResponseRedirect(self.url("changelist"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Operators with the permission who see all organizations themselves."""
        return organizations(request) is None and self._may(request, "add")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators with the permission who see all organizations themselves."""
        return organizations(request) is None and self._may(request, "delete")

    def _may(self, request: HttpRequest, verb: str) -> bool:
        return request.user.has_perm(f"grant_management.{verb}_organizationmember")

    def _say_what_is_left(self, request: HttpRequest, gone: list[OrganizationMember]) -> None:
        for member in {member.user_id: member for member in gone}.values():
            if not OrganizationMember.objects.filter(user_id=member.user_id).exists():
                said = _("%(user)s is a member of no organization now, and sees none.")
                messages.warning(request, said % {"user": member.username})
