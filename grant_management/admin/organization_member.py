"""Members of organizations: which operator sees what. Who does not see all cannot widen it."""

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
    """A user and an organization; or, said in so many words, all of them."""

    user = forms.ModelChoiceField(get_user_model()._default_manager.none(), label=_("User"))
    all_organizations = forms.BooleanField(
        label=_("All organizations"),
        required=False,
        help_text=_("Also those that come later. Then choose none above."),
    )

    class Meta:
        model = OrganizationMember
        fields = ("organization",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users: Any = self.fields["user"]
        users.queryset = get_user_model()._default_manager.all()

    def _get_validation_exclusions(self) -> set[str]:
        """Both were found among what can be chosen. Django would look for them once more: for the
        user in this app's database, and for the organization at a replica.
        """
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"user", "organization"}

    def clean(self) -> dict[str, Any]:
        """Whom it is for, by key: users may be in another database, which rows of this one do not
        refer to.
        """
        values: dict[str, Any] = super().clean() or {}
        user, organization = values.pop("user", None), values.get("organization")
        if (organization is None) != bool(values.get("all_organizations")):
            raise forms.ValidationError(_("Choose an organization, or all of them."))
        if user is not None:
            self.instance.user_id = user.pk
            known = OrganizationMember.objects.filter(user_id=user.pk, organization=organization)
            if known.exists():
                raise forms.ValidationError(_("This user is such a member already."))
        return values


@admin.register(OrganizationMember)
class OrganizationMemberAdmin(ReadOnlyAdmin[OrganizationMember]):
    """Who sees what. Each change leaves an event with the operator who made it."""

    organization_path = "organization"
    form = MemberForm
    fields = ("user", "organization", "all_organizations")
    list_display = ("username", "sees")
    list_select_related = ("organization",)

    @admin.display(description=_("user"))
    def username(self, member: OrganizationMember) -> str:
        """By name; by key where there is no such user any more."""
        return member.username

    @admin.display(description=_("organization"))
    def sees(self, member: OrganizationMember) -> Any:
        """One, or all."""
        return member.organization or _("All organizations")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """To be chosen; or, where there is a row, to be seen."""
        return self.fields if obj is None else ("username", "sees")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is there is not changed: a membership is removed, and another one added."""
        return () if obj is None else ("username", "sees")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The names of all users of a page with 1 query."""
        page = super().get_changelist_instance(request)
        users = get_user_model()._default_manager.in_bulk([row.user_id for row in page.result_list])
        for row in page.result_list:
            if row.user_id in users:
                row.username = users[row.user_id].get_username()
        return page

    def save_model(
        self, request: HttpRequest, obj: OrganizationMember, form: Any, change: bool
    ) -> None:
        """A new one, with its event."""
        obj.add(operator(request))

    def delete_model(self, request: HttpRequest, obj: OrganizationMember) -> None:
        """With its event, and a word on what is left."""
        obj.remove(operator(request))
        self._say_what_is_left(request, [obj])

    def delete_queryset(
        self, request: HttpRequest, queryset: "QuerySet[OrganizationMember]"
    ) -> None:
        """Many at once: an event each."""
        gone = list(queryset)
        for member in gone:
            member.remove(operator(request))
        self._say_what_is_left(request, gone)

    def response_delete(
        self, request: HttpRequest, obj_display: str, obj_id: Any
    ) -> HttpResponseRedirect:
        """Back to the list, though nothing in it can be changed."""
        super().response_delete(request, obj_display, obj_id)
        return HttpResponseRedirect(self.url("changelist"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Those who may, and see all organizations themselves."""
        return organizations(request) is None and self._may(request, "add")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Likewise."""
        return organizations(request) is None and self._may(request, "delete")

    def _may(self, request: HttpRequest, verb: str) -> bool:
        return request.user.has_perm(f"grant_management.{verb}_organizationmember")

    def _say_what_is_left(self, request: HttpRequest, gone: list[OrganizationMember]) -> None:
        for member in {member.user_id: member for member in gone}.values():
            if not OrganizationMember.objects.filter(user_id=member.user_id).exists():
                said = _("%(user)s is a member of no organization now, and sees none.")
                messages.warning(request, said % {"user": member.username})
