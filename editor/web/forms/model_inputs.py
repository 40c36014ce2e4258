"""The Studio's form for the options of one model, built from its catalogue entry.

`catalog.validation` alone validates: the fields here only choose a control for each input.
`templates/studio/_inputs.html` renders them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from django import forms
from django.forms.boundfield import BoundField

from editor.catalog import seeds
from editor.catalog.matching import FORMAT
from editor.catalog.types import Input, Model
from editor.catalog.validation import clean_inputs
from editor.errors import InvalidInput

ID = "input-%s"  # of each control
FORM_ID = "studio-form"  # the composer; the options are outside of it
MATCH = "match"  # of the output format: that of the image, see `catalog.matching`
MOST_SEGMENTS = 6  # choices that fit side by side on a phone
WIDEST_SLIDER = 50  # beyond this a slider cannot be set to the exact number

Control = Literal["segment", "select", "slider", "line"]


class OptionField(forms.Field):
    """One option of a model. `control` selects how the template renders it."""

    def __init__(self, item: Input) -> None:
        self.control = _control(item)
        self.advanced = item.advanced
        self.is_seed = item.name == seeds.SEED
        super().__init__(
            required=False,
            label=item.display_label,
            help_text=item.display_help,
            initial=_initial(item),
            widget=_widget(item, self.control),
        )

    def bound_data(self, data: Any, initial: Any) -> Any:
        """An option that was not sent shows its default: the previous model may not have had it."""
        return initial if data is None else data


class ModelInputsForm(forms.Form):
    """The options of one model; `cleaned_data` is the complete and typed result of `clean_inputs`."""

    def __init__(
        self, model: Model, *, data: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data=data, initial=dict(initial or {}), auto_id=ID)
        self.model = model
        for item in model.options:
            self.fields[item.name] = OptionField(item)

    def clean(self) -> dict[str, Any]:
        given = {name: self.data[name] for name in self.fields if name in self.data}
        if given.get(FORMAT) == MATCH:
            del given[FORMAT]
        try:
            return clean_inputs(self.model, given)
        except InvalidInput as error:
            for name, problem in error.fields.items():
                self.add_error(name, problem)
            return self.cleaned_data

    @property
    def common_fields(self) -> list[BoundField]:
        return [self[name] for name, field in self.fields.items() if not _is_advanced(field)]

    @property
    def advanced_fields(self) -> list[BoundField]:
        return [self[name] for name, field in self.fields.items() if _is_advanced(field)]


def build_form(
    model: Model, data: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None
) -> ModelInputsForm:
    """A form with one field for each option of the model, named as in the catalogue.

    data     submitted values; names that are not options of this model are ignored
    initial  values to start from instead of the defaults, e.g. the recipe of an earlier job
    """
    return ModelInputsForm(model, data=data, initial=initial)


def _initial(item: Input) -> str | int | float:
    """A new seed each time, size and format of the source image; otherwise the catalogue's default."""
    if item.name == seeds.SEED:
        return ""
    if item.name == FORMAT:
        return MATCH
    return 0 if item.zero_allowed else item.default


def _is_advanced(field: forms.Field) -> bool:
    return isinstance(field, OptionField) and field.advanced


def _control(item: Input) -> Control:
    if item.type == "select":
        return "segment" if len(item.options) <= MOST_SEGMENTS else "select"
    if item.minimum is None or item.maximum is None or not item.required or item.zero_allowed:
        return "line"
    width = item.maximum - item.minimum
    if item.whole_number and width < MOST_SEGMENTS:
        return "segment"
    return "slider" if width <= WIDEST_SLIDER else "line"


def _widget(item: Input, control: Control) -> forms.Widget:
    attrs: dict[str, Any] = {"form": FORM_ID}
    if control == "segment":
        return forms.RadioSelect(attrs=attrs, choices=_choices(item))
    if control == "select":
        return forms.Select(attrs=attrs | {"class": "inp"}, choices=_choices(item))
    if item.minimum is not None and item.maximum is not None:
        attrs["min"] = 0 if item.zero_allowed else item.minimum
        attrs["max"] = item.maximum
        attrs["step"] = item.multiple_of if item.whole_number else 0.1
        if control == "slider":
            # The script writes the slider's value into the element selected by data-out.
            return forms.NumberInput(attrs=attrs | {"type": "range", "data-out": f"#{ID % item.name}-value"})
        if item.name == seeds.SEED:
            attrs["placeholder"] = "Random"
        return forms.NumberInput(attrs=attrs | {"class": "inp"})
    return forms.TextInput(attrs=attrs | {"class": "inp"})


def _choices(item: Input) -> list[tuple[str, str]]:
    if item.type == "select":
        match = [(MATCH, "Match the image")] if item.name == FORMAT else []
        return match + [(option.value, option.display_label) for option in item.options]
    numbers = range(int(item.minimum or 0), int(item.maximum or 0) + 1)
    return [(str(number), str(number)) for number in numbers]
