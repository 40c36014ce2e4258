"""`manage.py ledger verify` proves ledgers, and fails if one differs."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from editor.models import AuditEntry, CreditAccount, LedgerCheck
from tests.factories import make_workspace
from tests.spending import spend

pytestmark = pytest.mark.django_db


def verify(*arguments: str) -> str:
    out = io.StringIO()
    call_command("ledger", "verify", *arguments, stdout=out)
    return out.getvalue()


def test_it_proves_one_or_all() -> None:
    acme, rivals = make_workspace(), make_workspace(name="Rivals")
    spend(acme, acme.members.get())
    assert "acme-studio: 3 entries" in verify("--workspace", acme.slug)
    printed = verify("--all")
    assert "acme-studio: 3 entries" in printed
    assert "rivals: 1 entry" in printed
    assert printed.count("matches") == 2
    assert LedgerCheck.objects.filter(account__in=[acme.pk, rivals.pk], problem="").count() == 2


def test_a_difference_is_printed_recorded_and_fails() -> None:
    acme, rivals = make_workspace(), make_workspace(name="Rivals")
    CreditAccount.objects.filter(pk=acme.pk).update(balance=F("balance") + 1)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 ledger differs"):
        call_command("ledger", "verify", "--all", stdout=out)
    assert "The account has a balance of 101" in out.getvalue()
    assert "rivals: 1 entry" in out.getvalue()
    assert LedgerCheck.objects.get(account=acme.pk).problem.startswith("The account has")
    assert AuditEntry.objects.get(action="credits.differ").workspace == acme
    assert not LedgerCheck.objects.get(account=rivals.pk).problem


def test_one_of_the_two_must_be_chosen() -> None:
    for arguments in ([], ["--all", "--workspace", "acme-studio"]):
        with pytest.raises(CommandError):
            verify(*arguments)
    with pytest.raises(CommandError, match="no workspace at"):
        verify("--workspace", "nowhere")
