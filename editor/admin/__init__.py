"""The operator's admin, one file a noun. What it writes goes through operations."""

from editor.admin import site_all  # noqa: F401 (registers the pages)
