"""OpenAI's image API: generations, edits and the list of models, under /v1.

Order of the checks: key, content type, types of the fields, model, ranges, the model's limits, files,
then moderation and the rendering. The call is held until the image is finished: there is no task id, so
nothing can be polled or cancelled.

Faults, all of them set on a submit. PROMPT_MODERATED is refused at once, without a task;
RESULT_MODERATED after the full time; FAILED is a 500 after the full time, in a stream an `error` frame
after the partial images; NEVER_FINISHES and HANG never respond (a stream starts and sends nothing
more); OVERLOADED is 503, FORBIDDEN the 403 of an organization that is not verified, SPEND_CAP the 400
of a hard limit. LINK_* and UNKNOWN_STATUS do nothing here. Under HUGE a stream has a small image.

What the contract calls inferred, or leaves open, and the emulator implements:
- `model` is required, gif and svg output (a gated preview) are refused, as are the fields that belong
  to them; chatgpt-image-latest accepts neither input_fidelity nor a transparent background.
- The codes unknown_parameter, invalid_type, duplicate_parameter and missing_required_parameter; a
  missing key is 401 with code null; 405 for a wrong method.
- A file whose bytes do not match its Content-Type is unsupported_file_mimetype; image modes
  other than RGB, RGBA, L, LA and P (CMYK, 16 bit) are invalid_image_file; a mask without transparency
  or of another size is invalid_value.
- "auto": quality becomes medium, background opaque, size 1024x1024 or about a megapixel in the ratio
  of the first image (the nearest fixed size for the models that have only those).
- Tokens: 50 per input image, 196 for a low 1024x1024, more with area and quality.
"""

from tests.emulators.openai.app import OpenAi

__all__ = ["OpenAi"]
