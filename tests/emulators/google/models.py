"""The supported image models, what each accepts, and the pixels of its results."""

from __future__ import annotations

from dataclasses import dataclass

# Pixels at 1K; 2K and 4K are twice and four times as many each way, 512 is half.
_TEN = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
}
_FOURTEEN = {**_TEN, "1:4": (512, 2048), "4:1": (2048, 512), "1:8": (384, 3072), "8:1": (3072, 384)}
_OLD = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
_TIMES = {"512": 0.5, "1K": 1, "2K": 2, "4K": 4}
_CORE = ("1K", "2K", "4K")


@dataclass(frozen=True, slots=True)
class Model:
    """The parameters of one model.

    ratios        aspect ratio -> pixels at 1K
    sizes         values of imageSize; empty: the field is not accepted
    thinking      values of thinkingLevel
    instructions  whether systemInstruction is accepted
    search        whether the tool googleSearch is accepted
    """

    title: str
    ratios: dict[str, tuple[int, int]]
    sizes: tuple[str, ...] = _CORE
    thinking: tuple[str, ...] = ()
    instructions: bool = True
    search: bool = True

    def pixels(self, ratio: str, size: str) -> tuple[int, int]:
        width, height = self.ratios[ratio]
        return int(width * _TIMES[size]), int(height * _TIMES[size])

    def nearest_ratio(self, width: int, height: int) -> str:
        """The ratio of a result if none was requested and this image came first."""
        wanted = width / height
        return min(self.ratios, key=lambda name: abs(self.ratios[name][0] / self.ratios[name][1] - wanted))


MODELS = {
    "gemini-nano-banana-2.1": Model("Nano Banana 2.1", _FOURTEEN, thinking=("MINIMAL", "MEDIUM", "HIGH")),
    "gemini-3-pro-image": Model("Nano Banana Pro", _TEN),
    "gemini-3.1-flash-image": Model("Nano Banana 2", _FOURTEEN, sizes=("512", *_CORE)),
    "gemini-3.1-flash-lite-image": Model("Nano Banana 2 Lite", _FOURTEEN, sizes=("1K",), search=False),
    "gemini-2.5-flash-image": Model("Nano Banana", _OLD, sizes=(), instructions=False, search=False),
}
