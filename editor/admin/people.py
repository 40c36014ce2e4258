"""Users in the admin. Deleting them is an operation, which also handles their keys and memberships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allauth.account import admin as library
from allauth.mfa.admin import Authenticator
from allauth.socialaccount.admin import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.admin import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest, HttpResponse

from editor import models
from editor.admin.audited import Audited
from editor.operations import audit, mails, people, second_factors

# allauth's rows: addresses that only duplicate those of the accounts (see migration 0015), secrets, and what
# the operator sets up in the environment.
for model in (library.EmailAddress, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)


class MembershipForm(ModelForm):
    """The user of an existing membership cannot be changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["user"].disabled = True


class MembershipFormSet(BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        filled = [form.cleaned_data for form in self.forms if form.cleaned_data]
        kept = [data["role"] for data in filled if not data.get("DELETE")]
        if kept and models.Role.OWNER not in kept:
            raise ValidationError("A workspace with members needs an owner.")


class MembershipInline(admin.TabularInline):
    model = models.Membership
    form = MembershipForm
    formset = MembershipFormSet
    extra = 0
    autocomplete_fields = ("user",)
    fields = ("user", "role", "access_image_editor", "monthly_cap", "daily_cap")

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Membership]:
        return super().get_queryset(request).filter(user__is_service_account=False)


class UserForm(UserChangeForm):
    def clean(self) -> None:
        super().clean()
        rights = ("is_active", "is_staff", "is_superuser")
        if people.is_last_operator(self.instance) and not all(self.cleaned_data.get(name) for name in rights):
            raise ValidationError(people.LAST_OPERATOR)


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = models.User
        fields = ("email",)


@admin.register(models.User)
class UserAdmin(Audited, BaseUserAdmin):
    noun = "account"
    form = UserForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    search_fields = ("email", "name")
    add_form = UserCreationForm
    fieldsets = (
        (None, {"fields": ("email", "password", "name")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)
    list_filter = ("is_active", "is_staff")
    filter_horizontal = ()
    actions = ("reset_second_factor",)

    @admin.action(description="Reset the second factor of selected people")
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[models.User]) -> None:
        """For people who have lost theirs: removes app, passkeys and recovery codes, and ends sessions."""
        assert isinstance(request.user, models.User)
        for user in queryset:
            second_factors.reset(user=user, actor=request.user)
        self.message_user(request, f"Second factor reset: {queryset.count()}.", messages.SUCCESS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.User]:
        """People. Service accounts begin and end with their key."""
        return super().get_queryset(request).filter(is_service_account=False)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        people.save(user=obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Of the changes of an account, its workspaces' logs only get whether it can be used."""
        super().save_related(request, form, formsets, change)
        if change and "is_active" in form.changed_data:
            action = "account.enabled" if form.cleaned_data["is_active"] else "account.disabled"
            self._record_for(request, form.instance, action)

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        rows = models.User.objects.filter(pk=id)
        old = rows.values_list("password", flat=True).first()
        response = super().user_change_password(request, id, form_url)
        if (user := rows.first()) and user.password != old:
            self._record_for(request, user, "account.password_changed")
            mails.notify(kind=mails.Kind.PASSWORD_CHANGED, email=user.email)
        return response

    def _record_for(self, request: HttpRequest, person: models.User, action: str) -> None:
        assert isinstance(request.user, models.User)
        audit.record_for(person=person, actor=request.user, action=action, target=person.email)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and obj != request.user

    def get_deleted_objects(
        self, objs: Sequence[models.User] | QuerySet[models.User], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """What the confirmation page lists. Related rows need no permissions of their own."""
        counts = {"people": len(objs)}
        listed: list[Any] = []
        kept = [f"{user}: this is you" for user in objs if user == request.user]
        for user in objs:
            kept += [
                f"{user}: the only owner of {place}, which has other members"
                for place in people.only_owner_of(user)
            ]
            keys = [f"API key: {key} in {key.workspace}" for key in people.keys_of(user)]
            places = [f"Member of {membership.workspace}" for membership in people.memberships_of(user)]
            listed += [str(user), places + keys]
            counts["memberships"] = counts.get("memberships", 0) + len(places)
            counts["API keys"] = counts.get("API keys", 0) + len(keys)
        return listed, counts, set(), kept

    def delete_model(self, request: HttpRequest, obj: models.User) -> None:
        assert isinstance(request.user, models.User)
        people.remove(user=obj, actor=request.user)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[models.User]) -> None:
        for user in queryset:
            self.delete_model(request, user)
