"""Deleting people for good: what goes, what stays, and who stays."""

from __future__ import annotations

import pytest

from editor.errors import Conflict
from editor.models import ApiKey, AuditEntry, Image, LedgerEntry, Membership, User
from editor.operations import api_keys, credits, people
from tests.factories import PASSWORD, UserFactory, make_actor, make_image, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator@example.test", PASSWORD)


def test_keys_stop_and_go_and_the_work_stays(operator: User) -> None:
    owner = make_actor()
    user = make_member(owner.workspace)
    member = make_actor(owner.workspace, user=user)
    key, bare = api_keys.create(actor=member, name="n8n")
    kept, _ = api_keys.create(actor=owner, name="the owner's")
    image = make_image(member)
    credits.grant(workspace=owner.workspace, amount=5, actor=user, note="theirs")
    entries = LedgerEntry.objects.count()

    people.remove(user=user, actor=operator)

    assert api_keys.find(bare) is None
    assert list(ApiKey.objects.all()) == [kept]
    assert not User.objects.filter(pk=user.pk).exists()
    assert not Membership.objects.filter(workspace=owner.workspace, role="editor").exists()
    assert Image.objects.get(pk=image.pk).created_by is None
    assert LedgerEntry.objects.count() == entries
    noted = dict(AuditEntry.objects.filter(actor=operator).values_list("action", "target"))
    assert noted == {"api_key.removed": str(key), "membership.removed": user.email}


def test_nobody_deletes_themselves(operator: User) -> None:
    User.objects.create_superuser("second@example.test", PASSWORD)
    with pytest.raises(Conflict, match="your own account"):
        people.remove(user=operator, actor=operator)
    assert User.objects.filter(pk=operator.pk).exists()


def test_the_last_operator_stays(operator: User) -> None:
    UserFactory.create()
    User.objects.create_superuser("off@example.test", PASSWORD, is_active=False)
    with pytest.raises(Conflict, match="last operator"):
        people.remove(user=operator, actor=None)
    User.objects.create_superuser("second@example.test", PASSWORD)
    people.remove(user=operator, actor=None)
    assert not User.objects.filter(pk=operator.pk).exists()
