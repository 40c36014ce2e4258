"""A person is deleted while something of theirs is under way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from editor.access import credentials
from editor.models import Job, User
from editor.operations import api_keys, jobs, people
from editor.operations.jobs import NewEdit
from tests.factories import make_actor, make_member, make_workspace
from tests.patience import PATIENCE, somebody_waits_for_our_locks, wait_until

pytestmark = pytest.mark.usefixtures("committed")


def test_an_edit_that_is_starting_with_a_key_does_not_keep_its_person() -> None:
    workspace = make_workspace()
    mei = make_actor(workspace, user=make_member(workspace))
    key, _ = api_keys.create(actor=mei, name="n8n")
    by_key = credentials.actor_of(key, channel="api")

    def delete() -> None:
        try:
            people.remove_self(user=User.objects.get(pk=mei.user.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            jobs.submit(actor=by_key, request=NewEdit(prompt="a harbour"))
            deleted = thread.submit(delete)
            wait_until(somebody_waits_for_our_locks)
        deleted.result(PATIENCE)
    job = Job.objects.get()
    assert (job.created_by, job.api_key) == (None, None)
    assert not User.objects.filter(pk=mei.user.pk).exists()
