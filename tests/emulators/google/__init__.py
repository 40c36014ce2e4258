"""Google's Gemini API for images: generateContent, its stream, and the models.

Order of the checks: version and method, key, model, size and shape of the body, the model's limits,
decoding of the images, then the moderation and the rendering. The call is held until the image is
finished: there is no task id, so nothing can be polled or cancelled.

Faults, all of them set on a submit. PROMPT_MODERATED and RESULT_MODERATED are responses with status 200
(the forms are attributes of the emulator); OUT_OF_FUNDS is 429 with a daily quota, RATE_LIMITED 429
without RetryInfo, RATE_LIMITED_RETRY_AFTER with it; EMPTY_RESULT ends with text only; UNKNOWN_STATUS
with an undefined finishReason and no image; FAILED is 500 after the full time (in a stream a frame with
the error); NEVER_FINISHES and HANG never respond; OVERLOADED is 503, FORBIDDEN 403, SPEND_CAP the 400
FAILED_PRECONDITION about billing. LINK_* do nothing here. HUGE affects only a call that is not streamed.

What the contract calls inferred, or leaves open, and the emulator implements:
- v1 and v1beta are the same; the image's settings are read from imageConfig, or from
  responseFormat.image if that is given instead.
- Only the fields of the contract and a few sampling fields are known; all others are refused as
  unknown, those of other kinds of model too.
- candidateCount must be 1, at most 14 images, no googleSearch for 2.5 and Lite; thinkingLevel only for
  2.1. There is no Files API: every fileData is refused with 403.
- HEIC and HEIF images are accepted without being decoded.
- Without aspectRatio a result has the ratio, of those that the model supports, nearest to the first image.
- Pixels of the ratios that the contract does not list, the numbers of tokens, the text of 404 pages.
- Drafts (`thought: true`, another image than the result) are sent if includeThoughts is requested.
"""

from tests.emulators.google.app import BLOCKED, Google

__all__ = ["BLOCKED", "Google"]
