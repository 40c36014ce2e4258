"""Example requests and responses for the OpenAPI document, by operation id.

Each request has a title; the reference page shows the first one.
"""

from __future__ import annotations

from typing import Any

from editor.errors import DiskFull

SITE = "https://portal.example.com"
IMAGE = "f24a8c52-6d0e-4b8f-9f57-2f1f0a3c1d11"
RESULT = "ab7e2511-93c4-4c0e-8a52-7f0b5a9d2e64"
JOB = "9c0d4f31-52a7-4d0b-b6a3-0c8e5d7f9a20"
STYLE = "5b1f6c0e-2a44-4d59-8d7c-3e9f1b7a6c02"
CHARACTER = "d3a9e7b4-81f0-4f6e-9b25-6c4d2e8f0a13"
MEMBER = "0f6b1f0e-7c55-4a06-8f52-5b0f5cf0a1f7"
QUOTE = "2c5d8a90-7b1e-4f36-8e0d-9a4f3c6b5d21"
INVITATION = "6a4b6c27-5f0e-4f43-93ab-3bb0a8d3e9c4"
MODEL = "black-forest-labs/flux-kontext-pro"

_RESULT_URL = f"{SITE}/i/Zx81kQ"

# A job in responses: waiting, canceled and completed.
_WAITING: dict[str, Any] = {
    "job_id": JOB,
    "status": "pending",
    "result_url": None,
    "result_image_id": None,
    "model_tier": "standard",
    "provider_used": "system",
    "credits_consumed": 0,
    "processing_ms": None,
    "created_at": "2026-05-04T11:00:00.000Z",
    "completed_at": None,
    "error": None,
    "image_id": IMAGE,
    "style_id": None,
    "character_id": None,
    "error_code": None,
    "prompt": "Make the cup bright blue",
    "model": MODEL,
    "parameters": {"outputFormat": "png"},
    "seed": None,
    "credits_held": 4,
    "stage": "task_queue",
    "percent": None,
    "results": [],
}
_CANCELED = _WAITING | {
    "status": "canceled",
    "processing_ms": 2310,
    "completed_at": "2026-05-04T11:00:02.310Z",
    "credits_held": 0,
    "stage": "task_cancel",
}
_COMPLETED = _WAITING | {
    "status": "completed",
    "result_url": _RESULT_URL,
    "result_image_id": RESULT,
    "credits_consumed": 4,
    "processing_ms": 18432,
    "completed_at": "2026-05-04T11:00:18.432Z",
    "seed": 1234,
    "credits_held": 0,
    "stage": "task_postprocess_end",
    "percent": 100,
    "results": [
        {
            "image_id": RESULT,
            "url": _RESULT_URL,
            "width": 1024,
            "height": 768,
            "content_type": "image/png",
        }
    ],
}

_MEMBER: dict[str, Any] = {
    "member_id": MEMBER,
    "email": "mei@acme.example",
    "name": "Mei Tanaka",
    "role": "editor",
    "access_image_editor": True,
    "monthly_cap": 300,
    "daily_cap": 50,
    "spent_this_month": 183,
    "is_active": True,
    "joined_at": "2026-05-04T11:00:00.000Z",
    "last_active_at": "2026-05-04T11:42:00.000Z",
}
_INVITATION: dict[str, Any] = {
    "invitation_id": INVITATION,
    "email": "sofia@acme.example",
    "role": "editor",
    "access_image_editor": True,
    "monthly_cap": 300,
    "message": "",
    "state": "open",
    "url": f"{SITE}/invitations/6a4b6c27…/",
    "created_at": "2026-05-04T11:00:00.000Z",
    "expires_at": "2026-05-11T11:00:00.000Z",
}
_FIRST_PAGE = {"page": 1, "per_page": 50, "has_more": False}

REQUESTS: dict[str, dict[str, dict[str, Any]]] = {
    "upload_url": {
        "A photo": {"file_name": "cup.jpg", "mime_type": "image/jpeg", "file_size": 482113},
    },
    "process": {
        "Edit an image": {
            "prompt": "Make the cup bright blue",
            "model_tier": "standard",
            "image_id": IMAGE,
        },
        "From a prompt alone": {"prompt": "A lighthouse at dusk", "model_tier": "pro"},
        "An exact model, without waiting": {
            "prompt": "Make the cup bright blue",
            "model": MODEL,
            "parameters": {"outputFormat": "png"},
            "image_id": IMAGE,
            "async": True,
        },
    },
    "estimate_credits": {
        "A tier": {"model_tier": "pro", "provider": "platform"},
    },
    "add_member": {
        "An editor with a cap": {"email": "sofia@acme.example", "role": "editor", "monthly_cap": 300},
    },
    "change_member": {
        "Make an admin without a cap": {"role": "admin", "monthly_cap": "none"},
    },
    "invite": {
        "Two viewers": {"emails": ["sofia@acme.example", "nobody"], "role": "viewer"},
    },
}

ANSWERS: dict[str, dict[int, Any]] = {
    "upload_url": {
        201: {
            "success": True,
            "data": {
                "image_id": IMAGE,
                "upload_url": f"{SITE}/uploads/eyJpIjoi…",
                "public_url": f"{SITE}/i/b3Rr9w",
                "expires_in": 3600,
            },
        },
    },
    "process": {
        201: {"success": True, "data": _COMPLETED},
        202: {"success": True, "data": _WAITING},
    },
    "estimate_credits": {
        200: {
            "success": True,
            "data": {
                "model_tier": "pro",
                "provider": "platform",
                "estimated_credits": 8,
                "is_exact": False,
                "available_credits": 412,
                "can_proceed": True,
                "byok_skips_credits": False,
                "model": "black-forest-labs/flux-kontext-max",
                "quote_id": QUOTE,
                "quote_expires_at": "2026-05-04T11:10:00.000Z",
                "limit": None,
            },
        },
    },
    "limits": {
        200: {
            "success": True,
            "data": {
                "available_credits": 412,
                "time_zone": "Europe/Berlin",
                "limits": [
                    {
                        "limit": "member_month",
                        "allowed": 300,
                        "used": 183,
                        "remaining": 117,
                        "resets_at": "2026-05-31T22:00:00.000Z",
                    },
                ],
                "suspended": False,
                "models": [MODEL],
                "model_tiers": ["creative", "standard"],
            },
        },
    },
    "jobs": {
        200: {
            "success": True,
            "data": [_COMPLETED],
            "pagination": {"page": 1, "per_page": 50, "has_more": False},
        },
    },
    "job": {200: {"success": True, "data": _COMPLETED}},
    "cancel_job": {200: {"success": True, "data": _CANCELED}},
    "job_events": {
        200: "id: 731\n"
        "event: task_output\n"
        'data: {"at": "2026-05-04T11:00:09.120+00:00", "percent": 45, "note": null}\n'
        "\n"
        "event: completed\n"
        f'data: {{"success": true, "data": {{"job_id": "{JOB}", "status": "completed"}}}}\n'
        "\n",
    },
    "models": {
        200: {
            "success": True,
            "data": [
                {
                    "id": MODEL,
                    "label": "FLUX.1 Kontext Pro",
                    "vendor": "Black Forest Labs",
                    "description": "Edits an image as the prompt says and keeps the rest.",
                    "credits": 4,
                    "typical_seconds": 8,
                    "tiers": ["standard"],
                    "providers": ["bfl", "fal"],
                    "takes_mask": False,
                    "most_images": 1,
                    "not_allowed": None,
                    "inputs": [
                        {
                            "name": "outputFormat",
                            "label": "Format",
                            "help": "The kind of file that comes out.",
                            "type": "select",
                            "required": True,
                            "default": "png",
                            "options": ["png", "jpeg"],
                            "minimum": None,
                            "maximum": None,
                        }
                    ],
                }
            ],
        },
    },
    "usage": {
        200: {
            "success": True,
            "data": [
                {
                    "day": "2026-05-04",
                    "group": MODEL,
                    "label": "FLUX.1 Kontext [pro]",
                    "edits": 12,
                    "failed": 1,
                    "credits": 48,
                    "returned": 4,
                }
            ],
            "pagination": _FIRST_PAGE | {"per_page": 100},
        },
    },
    "members": {200: {"success": True, "data": [_MEMBER], "pagination": _FIRST_PAGE}},
    "add_member": {201: {"success": True, "data": _INVITATION}},
    "change_member": {
        200: {"success": True, "data": _MEMBER | {"role": "admin", "monthly_cap": None}},
    },
    "remove_member": {200: {"success": True, "data": _MEMBER}},
    "invitations": {200: {"success": True, "data": [_INVITATION], "pagination": _FIRST_PAGE}},
    "invite": {
        201: {
            "success": True,
            "data": [_INVITATION | {"role": "viewer", "monthly_cap": None}],
            "refused": [{"email": "nobody", "error": "is not an email address."}],
        },
    },
    "send_invitation": {200: {"success": True, "data": _INVITATION}},
    "revoke_invitation": {
        200: {"success": True, "data": _INVITATION | {"state": "revoked", "url": None}},
    },
    "styles": {
        200: {"success": True, "data": [{"id": STYLE, "name": "Gouache", "scope": "system"}]},
    },
    "characters": {
        200: {"success": True, "data": [{"id": CHARACTER, "name": "Ada", "scope": "workspace"}]},
    },
}

# Error status -> description and an example.
ERRORS: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "The request is invalid; `fields` says what is wrong.",
        {
            "error": "prompt: String should have at least 1 character",
            "code": "invalid_input",
            "fields": {"prompt": "String should have at least 1 character"},
        },
    ),
    401: (
        "The API key is missing, invalid, expired or revoked.",
        {"error": "Missing or invalid API key.", "code": "not_authenticated"},
    ),
    402: (
        "The workspace does not have enough credits, or a limit does not allow it: then `limit`, `remaining` "
        "and `resets_at` say which. Nothing was charged.",
        {
            "error": "Your limit in this workspace is 300 credits a month, and 297 are used. This edit needs "
            "8. The limit resets on 1 June at 00:00 (Europe/Berlin). An owner or admin of this workspace can "
            "raise it.",
            "code": "insufficient_credits",
            "limit": "member_month",
            "remaining": 3,
            "resets_at": "2026-05-31T22:00:00.000Z",
        },
    ),
    403: (
        "The key lacks the scope, the person who created it may not do this (any more), the rules of the "
        "workspace do not allow the model, or it is suspended (`workspace_suspended`).",
        {
            "error": "This API key does not have the scope “image_editor:write”.",
            "code": "permission_denied",
        },
    ),
    404: (
        "There is no such job, image, style, character, quote, member or invitation in this workspace.",
        {"error": "There is no such image in this workspace.", "code": "not_found"},
    ),
    408: (
        "The request body did not arrive in time.",
        {"error": "The request body did not arrive in time.", "code": "request_timeout"},
    ),
    409: (
        "The job or invitation has already ended, the first call with this Idempotency-Key is still running, "
        "the quote has expired (`quote_expired`), the person is a member or invited already, or the "
        "workspace would have no owner.",
        {"error": "The edit was canceled. Its credits were refunded.", "code": "conflict", "job_id": JOB},
    ),
    413: (
        "The request body is larger than 256 KiB.",
        {"error": "The request body is too large: at most 256 KiB is allowed.", "code": "too_large"},
    ),
    422: (
        "The provider's safety filter refused the edit, the workspace has no key for this provider or its "
        "storage is full (`storage_full`), or the Idempotency-Key was used for a different request.",
        {
            "error": "The provider's safety filter refused this edit. Change the prompt or the image. "
            "Nothing was charged.",
            "code": "moderated",
            "job_id": JOB,
        },
    ),
    429: (
        "Too many requests or jobs at once, here or at the provider. `Retry-After` says how long to wait.",
        {
            "error": "This workspace's plan allows 60 requests per minute. Try again in 12 seconds.",
            "code": "too_many",
        },
    ),
    500: (
        "The portal or the provider failed. Nothing was charged; try again.",
        {
            "error": "The provider could not be reached. Nothing was charged.",
            "code": "unavailable",
            "job_id": JOB,
        },
    ),
    503: (
        "The portal's disk is full, or its image storage does not respond. Nothing was charged.",
        {"error": DiskFull().message, "code": "disk_full"},
    ),
}
