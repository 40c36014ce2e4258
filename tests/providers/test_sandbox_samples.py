"""The examples in the models' documents, on an installation without keys."""

from __future__ import annotations

from pathlib import Path

from editor import catalog
from editor.providers.sandbox.parser import parse
from editor.providers.sandbox.samples import READ_AS

SANDBOX_DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "sandbox.md"


def test_the_sandbox_understands_the_examples_of_the_models_documents() -> None:
    documents = {prompt for model in catalog.catalog().models.values() for prompt in model.sample_prompts}
    for prompt, plainly in READ_AS.items():
        assert prompt in documents
        assert parse(f" {prompt}\n", images=2) == parse(plainly, images=2)
        assert f"| {prompt} | {plainly} |" in SANDBOX_DOCUMENT.read_text(encoding="utf-8")
