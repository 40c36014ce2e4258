"""All tools, in the order in which they are listed."""

from __future__ import annotations

from editor.mcp.tools import catalogue, edit_image, jobs, kontext

TOOLS = {
    tool.name: tool
    for tool in (
        kontext.EDIT_PRO,
        kontext.EDIT_MAX,
        kontext.GET_RESULT,
        catalogue.LIST_MODELS,
        edit_image.TOOL,
        catalogue.ESTIMATE_CREDITS,
        jobs.LIST_JOBS,
        jobs.CANCEL_JOB,
    )
}
