"""Load the catalogue's TOML files, and report all problems at once if any is invalid."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from editor.catalog.checks import input_problems, model_problems, tier_problems, twice
from editor.catalog.reader import Table
from editor.catalog.types import Catalog, Idea, Input, InputType, Model, Option, Role, Route, Tier, TierId

TIERS: tuple[TierId, ...] = get_args(TierId)


class CatalogError(Exception):
    """The catalogue's files are invalid. Each problem names the file, the key and what is wrong with it."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "The catalogue is invalid:\n" + "\n".join(f"- {problem}" for problem in self.problems)
        )


def load(directory: Path) -> Catalog:
    """The catalogue in `directory`: models/*.toml and tiers.toml. Raises CatalogError."""
    problems: list[str] = []
    models: dict[str, Model] = {}
    for path in sorted((directory / "models").glob("*.toml")):
        table = _open(path, f"models/{path.name}", problems)
        model = _model(table)
        if model.id in models:
            table.problem("id", f"{model.id!r} is already the id of another file")
        models[model.id] = model
    if not models:
        problems.append("models: there is no model file")
    table = _open(directory / "tiers.toml", "tiers.toml", problems)
    default_tier = table.word("default", TIERS)
    tiers = _tiers(table, models)
    if problems:
        raise CatalogError(problems)
    return Catalog(MappingProxyType(models), MappingProxyType(tiers), default_tier)


def _open(path: Path, where: str, problems: list[str]) -> Table:
    values: dict[str, Any] = {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{where}: cannot be read: {error}")
        return Table(where, {}, [])  # do not also report every key as missing
    return Table(where, values, problems)


def _model(table: Table) -> Model:
    price = table.whole("credits", minimum=1)
    model = Model(
        id=table.text("id"),
        label=table.text("label"),
        vendor=table.text("vendor"),
        description=table.text("description"),
        inputs=tuple(_input(inner) for inner in table.tables("inputs", named_by="name")),
        routes=tuple(_route(inner, price) for inner in table.tables("routes", named_by="provider")),
        credits=price,
        typical_seconds=table.whole("typical_seconds", minimum=1),
        time_limit_seconds=table.whole("time_limit_seconds", minimum=1),
        sample_prompts=table.texts("sample_prompts"),
        ideas=tuple(_idea(inner) for inner in table.tables("ideas", named_by="label", optional=True)),
        mask=table.flag("mask"),
        mask_required=table.flag("mask_required", default=False),
        alpha=table.flag("alpha", default=False),
        samples_input=table.text("samples_input", default=""),
    )
    _finish(table, model_problems(model))
    return model


def _input(table: Table) -> Input:
    label = table.text("label")
    help_text = table.text("help", default="", empty=True)
    item = Input(
        name=table.text("name"),
        label=label,
        help=help_text,
        display_label=table.text("display_label", default=label),
        display_help=table.text("display_help", default=help_text, empty=True),
        type=table.word("type", get_args(InputType)),
        role=table.word("role", get_args(Role)),
        default=table.scalar("default"),
        options=tuple(_option(inner) for inner in table.tables("options", named_by="value", optional=True)),
        minimum=table.number("minimum"),
        maximum=table.number("maximum"),
        multiple_of=table.whole("multiple_of", default=1, minimum=1),
        zero_allowed=table.flag("zero_allowed", default=False),
        required=table.flag("required", default=True),
        maximum_items=table.whole("maximum_items", default=0, minimum=1),
        advanced=table.flag("advanced", default=False),
    )
    _finish(table, input_problems(item))
    return item


def _option(table: Table) -> Option:
    label = table.text("label")
    option = Option(
        value=table.text("value", empty=True),
        label=label,
        display_label=table.text("display_label", default=label),
    )
    table.finish()
    return option


def _route(table: Table, price: int) -> Route:
    route = Route(
        provider=table.text("provider"),
        target=table.text("target"),
        credits=table.whole("credits", default=price, minimum=1),
        mask=table.flag("mask", default=False),
        without=MappingProxyType(table.texts_by_name("without")),
    )
    table.finish()
    return route


def _idea(table: Table) -> Idea:
    idea = Idea(label=table.text("label"), prompt=table.text("prompt"))
    table.finish()
    return idea


def _tiers(table: Table, models: Mapping[str, Model]) -> dict[str, Tier]:
    tiers = []
    for inner in table.tables("tiers", named_by="id"):
        tier = Tier(
            id=inner.word("id", TIERS),
            label=inner.text("label"),
            model=inner.text("model"),
            route=inner.text("route", default="") or None,
            own_keys=_own_keys(inner),
            prompt_models=inner.texts("prompt_models"),
        )
        _finish(inner, tier_problems(tier, models))
        tiers.append(tier)
    ids = [tier.id for tier in tiers]
    missing = [tier_id for tier_id in TIERS if tier_id not in ids]
    # The API documents all three.
    _finish(table, [*twice("tiers", ids), *(("tiers", f"{tier_id!r} is missing") for tier_id in missing)])
    return {tier.id: tier for tier in tiers}


def _own_keys(table: Table) -> Mapping[str, str]:
    found = []
    for inner in table.tables("own_keys", named_by="provider", optional=True):
        pair = inner.text("provider"), inner.text("model")
        inner.finish()
        if inner.sound:
            found.append(pair)
    for key, what in twice("own_keys", [provider for provider, _ in found]):
        table.problem(key, what)
    return MappingProxyType(dict(found))


def _finish(table: Table, problems: Iterable[tuple[str, str]]) -> None:
    """Record unknown keys, then semantic problems; the latter only if all values could be read."""
    table.finish()
    if table.sound:
        for key, what in problems:
            table.problem(key, what)
