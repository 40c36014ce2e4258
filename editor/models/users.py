"""Users. They sign in with their email address; there are no user names."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from editor.mail_addresses import normalized

# Of the addresses of service accounts: a domain that never exists (RFC 6761).
SERVICE_DOMAIN = "service.invalid"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=normalized(email), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=normalized(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """A user; their rights in a workspace are in Membership.

    `is_staff` grants access to the operator's admin, and nothing else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254)
    pending_email = models.EmailField(
        max_length=254, blank=True, db_default="", help_text="Replaces the email once it is confirmed."
    )
    password_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_service_account = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Acts for a workspace's own API key. It has no password and cannot sign in.",
    )
    time_zone = models.CharField(max_length=64, blank=True, db_default="", help_text="Empty: the browser's.")
    approval_mails = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Gets mail when an edit waits for their approval, and when theirs is answered.",
    )
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique",
                violation_error_message="An account with this email already exists.",
            ),
        )

    def __str__(self) -> str:
        return self.name if self.is_service_account else self.email

    def clean(self) -> None:
        super().clean()
        self.email = normalized(self.email)  # before it is compared with those of other accounts

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = normalized(self.email)  # as sign-in looks it up
        super().save(*args, **kwargs)

    def set_password(self, raw_password: str | None) -> None:
        """A service account's stays unusable."""
        super().set_password(None if self.is_service_account else raw_password)
        self.password_changed_at = timezone.now()

    def check_password(self, raw_password: str | None) -> bool:
        return not self.is_service_account and super().check_password(raw_password)

    async def acheck_password(self, raw_password: str | None) -> bool:
        return not self.is_service_account and await super().acheck_password(raw_password)

    def has_usable_password(self) -> bool:
        return not self.is_service_account and super().has_usable_password()

    @property
    def display_name(self) -> str:
        return self.name or self.email.partition("@")[0]

    @property
    def initials(self) -> str:
        parts = self.display_name.replace(".", " ").replace("_", " ").split()
        return "".join(part[0] for part in parts[:2]).upper() or "?"
