"""Second factors: who has one, and who must.

An authenticator app or a passkey is one; recovery codes exist only beside those. Whoever has one is asked
for it at each sign-in, so having it is enough here.
"""

from __future__ import annotations

from collections.abc import Collection

from allauth.mfa.models import Authenticator
from django.conf import settings

from editor.errors import SecondFactorRequired
from editor.models import Membership, User

PURPOSE = "second factor"  # of the secrets of apps and recovery codes in the vault
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
YOURS = "This workspace demands a second factor of its members. Set one up on your account page to continue."
STAFF = "Operators of this portal need a second factor. Set one up on your account page to continue."


def exists(user: User) -> bool:
    return people_with_one([user.pk]) != set()


def require(membership: Membership, message: str = YOURS) -> None:
    """Raise SecondFactorRequired if the membership's user must have a second factor and has none."""
    if lacking([membership]):
        raise SecondFactorRequired(message)


def require_of_staff(user: User) -> None:
    """Raise SecondFactorRequired if the operator demands it of everybody who can use the admin."""
    if settings.STAFF_SECOND_FACTOR and user.is_staff and not exists(user):
        raise SecondFactorRequired(STAFF)


def lacking(memberships: Collection[Membership]) -> set[Membership]:
    """Those whose user must have a second factor and has none. A query only if some must.

    The accounts that act for a workspace's own API keys cannot sign in, and need none.
    """
    must = [
        one for one in memberships if one.workspace.second_factor_required and not one.user.is_service_account
    ]
    if not must:
        return set()
    having = people_with_one([one.user_id for one in must])
    return {one for one in must if one.user_id not in having}


def people_with_one(user_ids: Collection[object]) -> set[object]:
    """The ids of those who have a second factor."""
    rows = Authenticator.objects.filter(user__in=user_ids, type__in=FACTORS)
    return set(rows.values_list("user_id", flat=True))
