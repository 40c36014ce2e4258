"""The operator's admin, one file a noun. What has rules of its own is written by operations."""

from editor.admin import (
    api_keys,
    audit,
    credits,
    jobs,
    model_aliases,
    people,
    plans,
    presets,
    provider_keys,
    workspaces,
)

__all__ = [
    "api_keys",
    "audit",
    "credits",
    "jobs",
    "model_aliases",
    "people",
    "plans",
    "presets",
    "provider_keys",
    "workspaces",
]
