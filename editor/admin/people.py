"""Users in the admin. Deleting them is an operation, which also handles their keys and memberships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allauth.account import admin as library
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest

from editor import models
from editor.operations import people

# allauth's addresses only duplicate those of the accounts: see migration 0015.
admin.site.unregister(library.EmailAddress)


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
class UserAdmin(BaseUserAdmin):
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.User]:
        """People. Service accounts begin and end with their key."""
        return super().get_queryset(request).filter(is_service_account=False)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        people.save(user=obj)

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
