"""fal: its queue, synchronous run, file store and signed webhooks, all on one origin.

    queue.fal.run/...  -> /...           rest.fal.ai/...   -> /storage/..., /.well-known/jwks.json
    fal.run/...        -> /fal.run/...   v3.fal.media/...  -> /files/...

Faults. On a submit they stay with the request: PROMPT_MODERATED is a 422 of its result; RESULT_MODERATED
a black image that is flagged (Kontext) or a 422 (the others, which have no flags); EMPTY_RESULT no
images; FAILED a 500 of the model, OVERLOADED a 503 of the platform. FORBIDDEN refuses the submit (401),
SPEND_CAP has no effect. Statuses and results are both polls: `next_poll = [None, Fault.CUT]` spoils the
result after one good status. NEVER_FINISHES on a cancel: the cancel is accepted and ignored. Every call
of an upload is a step of its own: token, then bytes.

What the contract calls inferred, or leaves open, and the emulator implements:
- An invalid input fails at the result with 422 and pydantic's messages; a path that its application
  does not have fails there with 404; a body that is not JSON fails at the submit with bad_request.
- Only the result reports a model error; `error` and `error_type` of a status are for the platform's.
- Unknown fields are ignored, as fal does: `task.ignored` has their names.
- Text to image: flux-pro/kontext[/max]/text-to-image and flux-2-pro, flux-2-max, which the contract does
  not have; their model pages give the same fields without images (1:1 and landscape_4_3 by default).
- Images are fetched at the submit, only from this machine; other URLs are assumed to be valid.
- FLUX.2 takes at most 8 images; FLUX.3 has only the fields that the contract names, its output is that of
  FLUX.2.
- An expired file is the same as a missing one: 404. Uploads of more than 100 MB through the
  Python SDK, which have endpoints of their own, are missing.
- A cancelled request sends its webhook; a webhook is tried ten times, 0.05 seconds apart.
"""

from tests.emulators.fal.app import Fal

__all__ = ["Fal"]
