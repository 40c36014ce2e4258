"""The example prompts of the models' own documentation, as prompts that the sandbox understands.

They mention objects in photographs, which the sandbox cannot recognize. Trying a documented example
on an installation without keys gives this instead of a refusal; see docs/sandbox.md.
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
