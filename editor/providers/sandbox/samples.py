"""The prompts of the models' own documents, as what the sandbox can do of them.

They speak of things in photographs, which nothing here can see. Whoever tries a document's example
on an installation without keys gets this instead of a refusal; docs/sandbox.md says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

READ_AS: Mapping[str, str] = MappingProxyType(
    {
        "Enhance the cookie package with clean lighting and a white background, perfect for e-commerce "
        "display.": "make it brighter, sharpen it, add a white border",
        "Add the dog as if it's lying on the couch.": "put image 2 onto image 1 at the bottom",
        "Place the car in the image 2 to the road on the image 1.": "put image 2 onto image 1 at the bottom",
    }
)
