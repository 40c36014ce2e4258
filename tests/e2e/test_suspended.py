"""A suspended workspace: all six channels refuse edits and say why, and a running edit is settled."""

from __future__ import annotations

from typing import Any

import httpx

from tests.e2e import agent
from tests.e2e.api import EMAIL, STANDARD, Api, open_spaces
from tests.e2e.client import Client
from tests.e2e.seed_client import BASE
from tests.patience import PATIENCE, wait_until

PROMPT = "a quiet harbour"
MODEL = "black-forest-labs/flux-kontext-pro"
WORDS = (
    "This workspace is suspended: The invoice is open. No edit can be started. "
    "An operator of this portal can resume it."
)
WORKSPACE = "FROM editor_workspace WHERE slug = 'shut'"


def test_all_channels_say_why_and_the_running_edit_is_settled(api: Api) -> None:
    key = open_spaces(api.portal, {"shut": {"workspace": "Shut", "credits": 100}})["shut"]
    bearer = {"authorization": f"Bearer {key}"}
    operator = Client(api.portal, email=EMAIL, slug="shut")
    [(workspace_id,)] = api.portal.query(f"SELECT id {WORKSPACE}")
    with httpx.Client(base_url=api.portal.url, timeout=PATIENCE) as http:
        body = {"prompt": f"[slow] {PROMPT}", "model_tier": "standard", "async": True}
        running = http.post(f"{BASE}/process", json=body, headers=bearer)
        assert running.status_code == 202, running.text
        page = operator.studio()
        operator.post(f"/operator/workspaces/{workspace_id}/suspend/", reason="The invoice is open.")
        assert operator.run(PROMPT, page=page).status_code == 403

        def post(path: str, headers: dict[str, str], **body: Any) -> tuple[int, Any]:
            answer = http.post(path, headers=headers, **body)
            return answer.status_code, answer.json()

        status, found = post(f"{BASE}/process", bearer, json={"prompt": PROMPT, "model_tier": "standard"})
        assert (status, found["code"], found["error"]) == (403, "workspace_suspended", WORDS)
        found = post("/v1/flux-kontext-pro", {"x-key": key}, json={"prompt": PROMPT})
        assert found == (403, {"detail": WORDS})
        status, found = post(f"/v1/Run/{MODEL}", {"x-api-key": key}, data={"prompt": PROMPT})
        assert (status, found["result"]) == (200, False)  # most of Wiro's errors have this status
        assert [one["message"] for one in found["errors"]] == [WORDS]
        status, found = post("/v1/images/generations", bearer, json={"prompt": PROMPT, "model": MODEL})
        assert status == 403
        assert found["error"] == {
            "message": WORDS,
            "type": "invalid_request_error",
            "param": None,
            "code": "workspace_suspended",
        }
    refused = agent.refusal(
        agent.call(api.portal.url, key, "edit_image", prompt=PROMPT, model_tier="standard")
    )
    assert (refused["code"], refused["error"]) == ("workspace_suspended", WORDS)

    assert WORDS in operator.studio()
    rows = "SELECT status, charged FROM editor_job WHERE workspace_id = %s"
    wait_until(lambda: api.portal.query(rows, workspace_id) == [("completed", STANDARD)])
    account = "SELECT balance, held FROM editor_creditaccount WHERE workspace_id = %s"
    assert api.portal.query(account, workspace_id) == [(100 - STANDARD, 0)]
    operator.http.close()
