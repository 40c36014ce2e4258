"""Google's Gemini API, as far as it makes images: generateContent, its stream, and the models.

Order of the checks: version and method, key, model, size and shape of the body, what the model takes,
decoding of the images, then the moderation and the rendering. The call is held until the picture is
made: there is no task id, so nothing can be polled or cancelled.

Faults, all of them set on a submit. PROMPT_MODERATED and RESULT_MODERATED are answers with status 200
(the forms are attributes of the emulator); OUT_OF_FUNDS is 429 with a daily quota, RATE_LIMITED 429
without RetryInfo, RATE_LIMITED_RETRY_AFTER with it; EMPTY_RESULT ends with words only; UNKNOWN_STATUS
with a finishReason that nobody knows and no picture; FAILED is 500 after the full time (in a stream a
frame with the error); NEVER_FINISHES and HANG give no answer; OVERLOADED is 503, FORBIDDEN 403,
SPEND_CAP the 400 FAILED_PRECONDITION about billing. LINK_* have no meaning here and do nothing. Under
HUGE only a call that is not streamed grows.

What the contract calls inferred, or leaves open, and how it is done here:
- v1 and v1beta are the same; the picture's settings are read from imageConfig, and from
  responseFormat.image where that is given instead.
- Only the fields of the contract and a few sampling fields beside them are known; all others are
  refused as unknown, the ones of other kinds of model too.
- candidateCount must be 1, at most 14 images, googleSearch not for 2.5 and Lite; thinkingLevel only for
  2.1. There is no Files API: every fileData is refused with 403.
- HEIC and HEIF images are taken without being decoded.
- Without aspectRatio a result has the ratio, of those that the model makes, nearest to the first image.
- Pixels of the ratios that the contract does not list, the numbers of tokens, the text of 404 pages.
- Drafts (`thought: true`, another picture than the result) come when includeThoughts is asked for.
"""

from tests.emulators.google.app import BLOCKED, Google

__all__ = ["BLOCKED", "Google"]
