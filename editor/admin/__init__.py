"""The operator's admin, one module per model. Rows with rules of their own are written by operations."""

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
