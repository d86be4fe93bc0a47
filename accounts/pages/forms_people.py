"""The forms of users, keys and of one's own preferences."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Employer, Role

ROLES: Final[list[tuple[str, Promise]]] = [
    (Role.DISPATCHER, _("dispatcher: missions, phones, histories")),
    (Role.MANAGER, _("manager: all of that, and people, trucks, keys, settings")),
    (Role.DPO, _("data protection officer: drivers' rights, the audit trail")),
]
ROLE_NAMES: Final[dict[str, Promise]] = {
    Role.DISPATCHER: _("dispatcher"),
    Role.MANAGER: _("manager"),
    Role.DPO: _("data protection officer"),
}


class NewUserForm(forms.Form):
    """Who is to sign in, and what for."""

    email = forms.EmailField(max_length=254, label=_("E-mail address"))
    name = forms.CharField(max_length=200, required=False, label=_("Name"))
    role = forms.ChoiceField(choices=ROLES, label=_("Role"))


class RoleForm(forms.Form):
    """One more role, of those that the user does not have."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, has: Sequence[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)  # noqa: S101 (declared just above)
        role.choices = [(name, label) for name, label in ROLES if name not in has]


class NewKeyForm(forms.Form):
    """What a key is for, and what it may."""

    name = forms.CharField(
        max_length=100,
        label=_("Name"),
        help_text=_("Which system uses it, such as “planning”."),
    )
    role = forms.ChoiceField(choices=ROLES, label=_("What it may do"))


class PreferencesForm(forms.Form):
    """What users choose for themselves."""

    language = forms.ChoiceField(
        choices=[("", _("As the browser asks")), *settings.LANGUAGES],
        required=False,
        label=_("Language of the pages"),
    )
    has_shortcuts = forms.BooleanField(
        required=False,
        label=_("Single keys on pages"),
        help_text=_("Such as ? for the list of keys. Switch them off if you type by voice."),
    )


class EmployerChoiceForm(forms.Form):
    """At which of the employers that a user belongs to the pages are."""

    employer = forms.ChoiceField(label=_("Employer"))

    def __init__(self, employers: Sequence[Employer], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        employer = self.fields["employer"]
        assert isinstance(employer, forms.ChoiceField)  # noqa: S101 (declared just above)
        employer.choices = [(str(one.uuid), one.name) for one in employers]
