"""What the public API's document promises, heading by heading, each with the test that shows it.

The wording is ours. OUTLINE has the document's headings and the rows of its tables and examples; each
row needs a promise, and each promise a test.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

OUTLINE = {
    "Image Editor API": "",
    "Authentication": "",
    "Base URL": "",
    "Choosing a source image": "",
    "Endpoints": "",
    "POST /upload-url": "",
    "POST /upload-url: request": "file_name mime_type file_size",
    "POST /upload-url: 201": "success data image_id upload_url public_url expires_in",
    "POST /process": "",
    "POST /process: request": "prompt model_tier image_id image_url style_id character_id provider",
    "BYOK + model tier compatibility": "openai google fal kie",
    "POST /process: 201": "success data job_id status result_url result_image_id model_tier provider_used "
    "credits_consumed processing_ms created_at completed_at",
    "POST /estimate-credits": "",
    "POST /estimate-credits: request": "model_tier provider",
    "POST /estimate-credits: 200": "success data model_tier provider estimated_credits is_exact "
    "available_credits can_proceed byok_skips_credits",
    "GET /jobs": "page per_page status",
    "GET /jobs/:jobId": "",
    "Errors": "400 401 402 403 404 422 429 500",
    "Rate limits": "X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset",
}

PROVIDERS = OUTLINE["BYOK + model tier compatibility"].split()
CLIENT, ERRORS, CROWD = "e2e/test_api_client.py", "e2e/test_api_errors.py", "e2e/test_api_concurrency.py"
ALL_OF_IT = (CLIENT, "test_a_key_created_in_the_browser_works_for_all_calls")
WRONG = (ERRORS, "test_invalid_input_is_400")
UPLOAD = (CLIENT, "test_an_upload_link_has_the_documented_fields")
FINISHED = (CLIENT, "test_process_returns_the_finished_image")
ESTIMATE = (CLIENT, "test_an_estimate_is_the_most_that_a_call_costs")
MATRIX = (CLIENT, "test_own_keys_serve_the_documented_tiers")
OWN_KEY = (CLIENT, "test_an_edit_on_an_own_key_uses_its_provider_and_costs_nothing")
PAGES = (CLIENT, "test_jobs_are_listed_in_pages_newest_first")
WHOLE = (CLIENT, "test_a_job_is_returned_with_all_fields")
PRESET = (ERRORS, "test_an_unknown_preset_is_404")
LIMITS = (CLIENT, "test_every_response_has_the_rate_limit_headers")
NOT_SET_UP = (ERRORS, "test_a_missing_own_key_is_422")
ENVELOPE = (ERRORS, "test_unknown_paths_and_methods_are_refused_in_the_envelope")
FUZZ = ("e2e/test_api_fuzz.py", "test_every_response_matches_the_document")

# By heading: the row ("" for the text around the table), the promise, the test's file and name.
PROMISES: dict[str, list[tuple[str, str, tuple[str, str]]]] = {
    "Image Editor API": [
        ("", "any HTTP client can generate and edit images", ALL_OF_IT),
        ("", "the call is held until the finished image is there", FINISHED),
    ],
    "Authentication": [
        ("", "the key is minted in the workspace's settings, under API keys", ALL_OF_IT),
        ("", "every request needs one", (ERRORS, "test_each_call_needs_a_key")),
        ("", "it is a Bearer token", (ERRORS, "test_a_missing_or_invalid_key_is_401")),
        ("", "it needs the scope", (ERRORS, "test_a_key_without_the_scope_is_403")),
        ("", "its creator needs the permission", (ERRORS, "test_a_creator_without_the_permission_is_403")),
    ],
    "Base URL": [("", "all calls are below /api/v1/image-editor of the portal", ALL_OF_IT)],
    "Choosing a source image": [
        ("", "a prompt alone", (CLIENT, "test_a_prompt_alone_is_enough")),
        ("", "a file that was sent to an upload link", ALL_OF_IT),
        ("", "an https address", (CLIENT, "test_an_image_is_fetched_from_its_https_url")),
        ("", "the id goes before the address", (CLIENT, "test_the_image_id_takes_precedence_over_the_url")),
    ],
    "Endpoints": [("", "those five, and no call is undocumented", FUZZ)],
    "POST /upload-url": [
        ("", "gives a PUT address and the id to use the image by", UPLOAD),
        ("", "takes the file with the declared Content-Type", UPLOAD),
        ("", "no other Content-Type", ("api/test_put.py", "test_another_type_is_refused")),
        ("", "ends after an hour", ("api/test_put.py", "test_an_expired_link_is_refused")),
    ],
    "POST /upload-url: request": [
        ("file_name", "needed, of 1 to 255 characters", WRONG),
        ("file_name", "255 are taken", (CLIENT, "test_each_type_of_file_can_be_edited")),
        ("mime_type", "four types", (CLIENT, "test_each_type_of_file_can_be_edited")),
        ("mime_type", "needed, and no other", WRONG),
        ("file_size", "optional", ALL_OF_IT),
        (
            "file_size",
            "kept free; the file may have another size",
            ("api/test_put.py", "test_a_file_may_have_another_size_than_was_declared"),
        ),
    ],
    "POST /upload-url: 201": [
        ("success", "true, with 201", UPLOAD),
        ("data", "holds these four fields", UPLOAD),
        ("image_id", "can be edited at /process", ALL_OF_IT),
        ("upload_url", "takes the file without a key", UPLOAD),
        ("public_url", "shows the image", UPLOAD),
        ("expires_in", "3600 seconds", UPLOAD),
    ],
    "POST /process": [
        ("", "returns when the generation is finished", FINISHED),
        (
            "",
            "holds for at most 300 seconds",
            ("api/test_process.py", "test_the_longest_hold_is_the_documents"),
        ),
        (
            "",
            "after them the job can be asked for",
            ("api/test_process.py", "test_after_the_longest_hold_the_job_is_reported_as_it_stands"),
        ),
    ],
    "POST /process: request": [
        ("prompt", "needed, of 1 to 10000 characters", WRONG),
        ("prompt", "10000 are taken", (CLIENT, "test_a_prompt_of_ten_thousand_characters_is_accepted")),
        ("model_tier", "needed, one of three", WRONG),
        ("model_tier", "each of the three works", ESTIMATE),
        ("image_id", "an image of /upload-url", ALL_OF_IT),
        ("image_id", "of this workspace", (ERRORS, "test_an_unknown_image_is_404")),
        ("image_url", "is fetched", (CLIENT, "test_an_image_is_fetched_from_its_https_url")),
        (
            "image_url",
            "is left aside beside image_id",
            (CLIENT, "test_the_image_id_takes_precedence_over_the_url"),
        ),
        ("image_url", "https, at most 2000 characters", WRONG),
        (
            "style_id",
            "of the workspace or of the system",
            (CLIENT, "test_a_style_of_the_system_or_the_workspace_is_applied"),
        ),
        ("style_id", "of no other workspace", PRESET),
        ("character_id", "keeps the figure the same", (CLIENT, "test_a_character_adds_its_images")),
        ("character_id", "of no other workspace", PRESET),
        ("provider", "platform is the default and takes credits", ESTIMATE),
        ("provider", "a provider's name runs on the own key and takes none", OWN_KEY),
        ("provider", "422 without that key", NOT_SET_UP),
        ("provider", "422 while it is off", (ERRORS, "test_a_disabled_own_key_is_422")),
        ("provider", "422 where the plan has none", (ERRORS, "test_a_plan_without_own_keys_is_422")),
    ],
    "BYOK + model tier compatibility": [
        *((name, "serves these tiers and no others", MATRIX) for name in PROVIDERS),
        *((name, "runs an edit in each of them", OWN_KEY) for name in PROVIDERS),
    ],
    "POST /process: 201": [
        ("success", "true, with 201", FINISHED),
        ("data", "the finished job", FINISHED),
        ("job_id", "names the job", WHOLE),
        ("status", "completed", FINISHED),
        ("result_url", "shows the image", FINISHED),
        ("result_image_id", "can be edited further", ALL_OF_IT),
        ("model_tier", "as it was asked for", FINISHED),
        ("provider_used", "system on the platform's keys", FINISHED),
        ("provider_used", "the provider's name on an own key", OWN_KEY),
        ("credits_consumed", "what was taken", ESTIMATE),
        ("credits_consumed", "0 on an own key", OWN_KEY),
        ("processing_ms", "from beginning to end", FINISHED),
        ("created_at", "UTC with milliseconds", FINISHED),
        ("completed_at", "UTC with milliseconds", FINISHED),
    ],
    "POST /estimate-credits": [
        ("", "an upper bound of a call's cost, which the job itself tells", ESTIMATE),
        ("", "own keys always cost 0", MATRIX),
        ("", "the rules for own keys are those of /process", MATRIX),
        ("", "also where there is no such key", NOT_SET_UP),
    ],
    "POST /estimate-credits: request": [
        ("model_tier", "needed, one of three", WRONG),
        ("provider", "as in /process, platform by default", ESTIMATE),
    ],
    "POST /estimate-credits: 200": [
        ("success", "true, with 200", ESTIMATE),
        ("data", "holds these seven fields", ESTIMATE),
        ("model_tier", "as it was asked for", ESTIMATE),
        ("provider", "as it was asked for", ESTIMATE),
        ("estimated_credits", "no less than is taken", ESTIMATE),
        ("is_exact", "false on the platform", ESTIMATE),
        ("available_credits", "what the workspace has", ALL_OF_IT),
        ("can_proceed", "true when that is enough", ESTIMATE),
        ("can_proceed", "false when it is not", (CLIENT, "test_an_estimate_reports_insufficient_credits")),
        ("byok_skips_credits", "false on the platform", ESTIMATE),
        ("byok_skips_credits", "true on an own key", MATRIX),
    ],
    "GET /jobs": [
        ("", "the most recent first", PAGES),
        ("page", "1 by default", PAGES),
        ("per_page", "50 by default, at most 100", PAGES),
        ("per_page", "no more than 100", WRONG),
        ("status", "only jobs in that state", PAGES),
        ("status", "only a state that there is", WRONG),
    ],
    "GET /jobs/:jobId": [
        ("", "the whole job, also long after its call", WHOLE),
        ("", "the error of one that failed", WHOLE),
        ("", "the image that it began from", ALL_OF_IT),
        ("", "the style", (CLIENT, "test_a_style_of_the_system_or_the_workspace_is_applied")),
    ],
    "Errors": [
        ("", "all in one envelope", ENVELOPE),
        ("400", "wrong input", WRONG),
        ("400", "a tier that the provider does not serve", MATRIX),
        ("400", "no JSON", (ERRORS, "test_a_body_that_is_not_a_json_object_is_400")),
        ("401", "a missing or wrong key", (ERRORS, "test_a_missing_or_invalid_key_is_401")),
        ("401", "a revoked key", (ERRORS, "test_a_revoked_key_is_401")),
        ("402", "too few credits", (ERRORS, "test_too_few_credits_is_402")),
        (
            "402",
            "also of many calls at once",
            (CROWD, "test_of_40_concurrent_edits_those_run_that_can_be_paid"),
        ),
        ("403", "a key without the scope", (ERRORS, "test_a_key_without_the_scope_is_403")),
        ("403", "no permission", (ERRORS, "test_a_creator_without_the_permission_is_403")),
        ("404", "image_id", (ERRORS, "test_an_unknown_image_is_404")),
        ("404", "style_id and character_id", PRESET),
        ("404", "jobId", (ERRORS, "test_an_unknown_job_is_404")),
        ("422", "a prompt that was refused", (ERRORS, "test_moderation_is_422_and_costs_nothing")),
        ("422", "by an own key's provider too", (ERRORS, "test_moderation_by_a_provider_is_422")),
        ("422", "an own key that is not set up", NOT_SET_UP),
        ("422", "or not enabled", (ERRORS, "test_a_disabled_own_key_is_422")),
        (
            "429",
            "more than the plan allows, with Retry-After",
            (ERRORS, "test_exceeding_the_rate_limit_is_429"),
        ),
        ("429", "a provider's own limit", (ERRORS, "test_a_busy_provider_is_429")),
        ("500", "a provider that fails", (ERRORS, "test_a_failing_provider_is_500_and_costs_nothing")),
        (
            "500",
            "and a fault of ours",
            ("gateway/test_middleware.py", "test_every_error_has_the_apis_envelope"),
        ),
    ],
    "Rate limits": [
        (
            "",
            "the limit is the plan's, each minute",
            (CROWD, "test_of_200_concurrent_calls_the_plans_60_pass"),
        ),
        *((row, "on every answer", LIMITS) for row in OUTLINE["Rate limits"].split()),
    ],
}


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_headings_are_the_outlines() -> None:
    assert list(PROMISES) == list(OUTLINE)


@pytest.mark.parametrize("heading", OUTLINE)
def test_every_row_has_a_promise(heading: str) -> None:
    rows = [row for row, _, _ in PROMISES[heading]]
    assert rows, heading
    assert {row for row in rows if row} == set(OUTLINE[heading].split())


@pytest.mark.parametrize("heading", PROMISES)
def test_every_promise_has_a_test_that_exists(heading: str) -> None:
    for _, says, (file, name) in PROMISES[heading]:
        assert name.startswith("test_"), says
        assert name in names_in(file), f"{says}: there is no {name} in {file}"
