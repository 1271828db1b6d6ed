"""Members of organizations: which operator sees which organizations. Only an operator who sees all
of them can add or remove members, so nobody can widen their own view.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from ..db.keyset import Rows
from ..models import OrganizationMember, Reason
from ..redaction import redacted
from . import operator_forms, operators
from .kit import list_table
from .kit.display import link
from .kit.read_only import operator, organizations
from .kit.reasons import NoteForm
from .kit.short_list import ShortListAdmin
from .organization_member_form import MemberForm


def _named(rows: Iterable[OrganizationMember]) -> list[OrganizationMember]:
    """The memberships, with the names of all their users read by 1 query."""
    members = list(rows)
    users = get_user_model()._default_manager.in_bulk([one.user_id for one in members])
    for one in members:
        if one.user_id in users:
            one.username = users[one.user_id].get_username()
    return members


def _why(request: HttpRequest) -> Reason:
    """What the confirmation asks for. BadRequest: it is longer than the fields of the page take."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        raise BadRequest
    return form.why()


@admin.register(OrganizationMember)
class OrganizationMemberAdmin(ShortListAdmin[OrganizationMember]):
    """Memberships. Each change writes an event that names the operator who made it."""

    organization_path = "organization"
    form = MemberForm
    fields = ("user", "organization", "all_organizations")
    list_display = ("username", "sees", "manage")
    list_select_related = ("organization",)
    file_name = "operators"
    exported = {
        "username": list_table.fields("id", "username"),
        "sees": list_table.fields("organization_id"),
        "manage": list_table.fields("user_id"),
    }

    @admin.display(description=_("user"))
    def username(self, member: OrganizationMember) -> str:
        """The user's name; the user's key where the user no longer exists."""
        return member.username

    @admin.display(description=_("organization"))
    def sees(self, member: OrganizationMember) -> Any:
        """The organization, or a text for all of them."""
        return member.organization or _("All organizations")

    @admin.display(description=_("operator"))
    def manage(self, member: OrganizationMember) -> Any:
        """A link to the form that changes the user's roles and organizations."""
        return link(self._edit_url(member.user_id), _("Roles and password…"))

    def _edit_url(self, user: Any) -> str:
        name = "admin:grant_management_organizationmember_operator_edit"
        return reverse(name, args=[user], current_app=self.admin_site.name)

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a membership, and of the forms of operators."""
        wrap, name = self.admin_site.admin_view, "grant_management_organizationmember"
        create, edit = wrap(self.create_operator_view), wrap(self.edit_operator_view)
        return [
            path("operator/create/", create, name=f"{name}_operator_create"),
            path("operator/<path:user>/edit/", edit, name=f"{name}_operator_edit"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, called as in the navigation. The confirmation of an action asks why."""
        context = {"title": _("Operators"), **(extra_context or {})}
        response = super().changelist_view(request, context)
        if isinstance(response, TemplateResponse) and response.context_data:
            response.context_data["note_form"] = NoteForm()
        return response

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The confirmation, which asks why."""
        context = {"note_form": NoteForm(), **(extra_context or {})}
        return super().delete_view(request, object_id, context)

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """A button to create an operator."""
        may = operator_forms.is_usable() and request.user.has_perm(operator_forms.MANAGE)
        return [(_("New operator…"), self.url("operator_create"))] if may else []

    @redacted
    def create_operator_view(self, request: HttpRequest) -> HttpResponse:
        """Create a user of the admin, with roles and organizations that the operator has."""
        self._check_manages(request)
        form = operator_forms.NewOperatorForm(request.POST or None).limit(request)
        if request.method == "POST" and form.is_valid():
            user = operators.create(request, form.cleaned_data, form.why())
            return self._saved(request, user)
        return self._form(request, _("New operator"), form)

    @redacted
    def edit_operator_view(self, request: HttpRequest, user: str) -> HttpResponse:
        """Change a user's roles, organizations and password. Somebody who has more is refused."""
        self._check_manages(request)
        found = self._operator(user)
        if not operator_forms.may_change(request, found):
            raise PermissionDenied
        sees = OrganizationMember.objects.filter(user_id=found.pk).values_list("organization_id")
        numbers = [number for (number,) in sees]
        given = {
            "may_log_in": found.is_active,
            "roles": found.groups.all(),
            "organizations": [number for number in numbers if number is not None],
            "all_organizations": None in numbers,
        }
        form = operator_forms.ChangeOperatorForm(request.POST or None, initial=given)
        form.limit(request)
        if request.method == "POST" and form.is_valid():
            operators.change(request, found, form.cleaned_data, form.why())
            return self._saved(request, found)
        title = _("Change operator %(name)s") % {"name": found.get_username()}
        return self._form(request, title, form)

    def _check_manages(self, request: HttpRequest) -> None:
        may = request.user.has_perm(operator_forms.MANAGE) and self.has_view_permission(request)
        if not (may and operator_forms.is_usable()):
            raise PermissionDenied

    def _operator(self, key: str) -> Any:
        """The user of this key. Http404: nobody has it, or it is no user of the admin."""
        model: Any = get_user_model()
        try:
            return model._default_manager.get(pk=model._meta.pk.to_python(key), is_staff=True)
        except (model.DoesNotExist, ValidationError, ValueError, OverflowError):
            raise Http404 from None

    def _saved(self, request: HttpRequest, user: Any) -> HttpResponse:
        messages.success(request, _("Saved: %(row)s.") % {"row": user.get_username()})
        return HttpResponseRedirect(self.url("changelist"))

    def _form(self, request: HttpRequest, title: Any, form: Any) -> HttpResponse:
        return self.page(request, "form.html", title, form=form, submit=_("Save"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's fields for a new membership; two read-only columns for an existing one."""
        return self.fields if obj is None else ("username", "sees")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Every field of an existing membership: to change it, remove it and add another one."""
        return () if obj is None else ("username", "sees")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Django's page of the list, with the names of all its users read by 1 query."""
        page = super().get_changelist_instance(request)
        page.result_list = _named(page.result_list)
        return page

    def to_export(self, turns: Iterable[Rows]) -> Iterator[OrganizationMember]:
        """The rows of all turns; the names of the users of a turn are read by 1 query."""
        return chain.from_iterable(map(_named, turns))

    def save_model(
        self, request: HttpRequest, obj: OrganizationMember, form: Any, change: bool
    ) -> None:
        """Add the new membership, with its event."""
        obj.add(operator(request))

    def delete_model(self, request: HttpRequest, obj: OrganizationMember) -> None:
        """Remove the membership, with its event; warn where the user has no other one."""
        obj.remove(operator(request), _why(request))
        self._say_what_is_left(request, [obj])

    def delete_queryset(
        self, request: HttpRequest, queryset: "QuerySet[OrganizationMember]"
    ) -> None:
        """Remove several memberships as `delete_model` does, with an event for each."""
        gone, why = list(queryset), _why(request)
        for member in gone:
            member.remove(operator(request), why)
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
