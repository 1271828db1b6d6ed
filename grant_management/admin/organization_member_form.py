"""The form that adds a membership to any user of the admin."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from ..models import OrganizationMember
from .kit import form_fields


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """A user, and one organization or, by a box of its own, all of them."""

    user = form_fields.RowField(get_user_model()._default_manager.none(), label=_("User"))
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
