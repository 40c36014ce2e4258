"""How people sign in and sign up, as far as it differs from allauth's own ways."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import IntegrityError, transaction
from django.forms import Form
from django.http import HttpRequest

from editor.errors import Conflict
from editor.models import User
from editor.operations import workspaces


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """The operator decides by SIGNUP; the very first account is made on the welcome page."""
        return bool(settings.SIGNUP == "open") and not workspaces.needs_first_start()

    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """A new person gets a workspace of their own to begin in."""
        try:
            with transaction.atomic():
                saved: User = super().save_user(request, user, form, commit=commit)
                if commit:
                    workspaces.create(name=f"{saved.display_name}'s workspace", owner=saved)
        except IntegrityError:  # the same address, at the same moment
            raise Conflict("Somebody with this e-mail address exists already.") from None
        return saved
