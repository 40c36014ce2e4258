"""The pages of the API reference, built from the API's own OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from editor.access.scopes import SCOPES
from editor.contexts import api_examples

Schema = dict[str, Any]
Operation = tuple[str, str, dict[str, Any]]  # path, verb, details

TEAM = "Team"  # tag of the calls that have a page of their own


@dataclass(frozen=True, slots=True)
class Row:
    """One field, parameter or header.

    type    for display, for example "uuid[]"
    place   "path", "query" or "header"; "" in a body
    of      id of the page section of the object that it holds; "" for plain values
    values  the allowed values, if it is an enum
    """

    name: str
    type: str
    place: str
    of: str
    required: bool
    description: str
    values: list[str]
    default: str


@dataclass(frozen=True, slots=True)
class Section:
    """An object with its fields. `description` is one paragraph."""

    id: str
    title: str
    description: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Call:
    """One operation.

    answer  fields of the response with one of `statuses`; empty for an event stream
    errors  (status, meaning) of the errors that not every call has
    """

    id: str
    title: str
    verb: str
    path: str
    paragraphs: list[str]
    scope: str
    rows: list[Row]
    answer: list[Row]
    statuses: str
    errors: list[tuple[str, str]]
    curl: str
    python: str
    example: str


@dataclass(frozen=True, slots=True)
class TeamView:
    """The calls about members and invitations. `common` are the errors that any call can return."""

    calls: list[Call]
    objects: list[Section]
    common: list[str]


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """All other calls.

    team    the calls and objects of the other page, linked from this one
    errors  each status with its meaning; `common` those that any call can return, `problem` their body
    """

    base: str
    scopes: list[tuple[str, str]]
    calls: list[Call]
    objects: list[Section]
    team: TeamView
    headers: list[tuple[str, str]]
    errors: list[tuple[str, str]]
    common: list[str]
    problem: Section
    example: str


@dataclass(frozen=True, slots=True)
class Way:
    """Another API, for existing clients. `header` is where they send their key."""

    name: str
    label: str
    path: str
    header: str


WAYS = (
    Way("bfl", "Black Forest Labs", "/v1", "x-key"),
    Way("wiro", "Wiro", "/v1", "x-api-key"),
    Way("openai", "OpenAI", "/v1", "Authorization"),
    Way("mcp", "MCP, for agents", "/mcp", "Authorization"),
)


def reference_view(document: dict[str, Any]) -> ReferenceView:
    """document: OpenAPI 3.1, as served by the API itself."""
    reader = _Reader(document, [one for one in _operations(document) if not _is_team(one)])
    failures: dict[str, dict[str, Any]] = {}
    for _, _, operation in _operations(document):
        failures |= _failures(operation)
    common = _common(document)
    headers = document["components"]["headers"]
    return ReferenceView(
        base=reader.base,
        scopes=list(SCOPES.items()),
        calls=reader.calls(common),
        objects=reader.sections(),
        team=team_view(document),
        headers=[(name, header["description"]) for name, header in headers.items()],
        errors=[(status, failures[status]["description"]) for status in sorted(failures)],
        common=common,
        problem=reader.section("Problem"),
        example=api_examples.pretty(failures[common[0]]["content"]["application/json"]["example"]),
    )


def team_view(document: dict[str, Any]) -> TeamView:
    reader = _Reader(document, [one for one in _operations(document) if _is_team(one)])
    common = _common(document)
    return TeamView(calls=reader.calls(common), objects=reader.sections(), common=common)


def _operations(document: dict[str, Any]) -> list[Operation]:
    return [
        (path, verb, operation)
        for path, operations in document["paths"].items()
        for verb, operation in operations.items()
    ]


def _is_team(operation: Operation) -> bool:
    return TEAM in operation[2]["tags"]


def _common(document: dict[str, Any]) -> list[str]:
    """The statuses of errors that every call of the API can return."""
    statuses = [{status for status, _ in _failures(operation)} for _, _, operation in _operations(document)]
    return sorted(set.intersection(*statuses))


class _Reader:
    """Reads some operations of a document. `objects` are the schemas that their responses hold in `data`."""

    def __init__(self, document: dict[str, Any], operations: list[Operation]) -> None:
        self.base: str = document["servers"][0]["url"]
        self._operations = operations
        self._schemas: dict[str, Schema] = document["components"]["schemas"]
        self.objects: list[str] = []
        for _, _, operation in operations:
            data = self._resolved(_success(operation)[0]).get("properties", {}).get("data", {})
            name = _name(data.get("items", data))
            if name and name not in self.objects:
                self.objects.append(name)

    def calls(self, common: list[str]) -> list[Call]:
        return [self.call(*one, common=common) for one in self._operations]

    def sections(self) -> list[Section]:
        return [self.section(name) for name in self.objects]

    def call(self, path: str, verb: str, operation: dict[str, Any], *, common: list[str]) -> Call:
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        schema, example = _success(operation)
        streamed = "text/event-stream" in operation["responses"][min(operation["responses"])]["content"]
        filled = path
        for one in operation["parameters"]:
            if one["in"] == "path":
                filled = filled.replace(f"{{{one['name']}}}", one["example"])
        request: dict[str, Any] = {
            "verb": verb.upper(),
            "url": f"{self.base}{filled}",
            "body": next(iter(body["examples"].values()))["value"] if body else None,
            "streamed": streamed,
        }
        return Call(
            id=f"call-{operation['operationId'].replace('_', '-')}",
            title=operation["summary"],
            verb=verb.upper(),
            path=path,
            paragraphs=operation["description"].split("\n\n"),
            scope=operation["security"][0]["ApiKey"][0],
            rows=[
                *self._parameters(operation, "path", "query"),
                *self._rows(body.get("schema", {})),
                *self._parameters(operation, "header"),
            ],
            answer=[] if streamed else list(self._rows(schema, answered=True)),
            statuses=" or ".join(status for status in operation["responses"] if status < "400"),
            errors=[
                (number, answer["description"])
                for number, answer in _failures(operation)
                if number not in common
            ],
            curl=api_examples.curl(**request),
            python=api_examples.python(**request, held="202" in operation["responses"]),
            example=api_examples.pretty(example),
        )

    def section(self, name: str) -> Section:
        schema = self._schemas[name]
        return Section(
            id=_section_id(name),
            title=name,
            description=schema["description"],
            rows=list(self._rows(schema, answered=True)),
        )

    def _parameters(self, operation: dict[str, Any], *places: str) -> Iterator[Row]:
        for one in operation["parameters"]:
            if one["in"] in places:
                schema = {**one["schema"], "description": one["description"]}
                yield self._row(one["name"], schema, place=one["in"], required=one["required"])

    def _rows(self, schema: Schema, *, before: str = "", answered: bool = False) -> Iterator[Row]:
        """The fields of a schema; objects without a section of their own are expanded inline.

        answered  in a response fields may be null, but none is missing; in a request it is the reverse,
                  and required fields come first
        """
        schema = self._resolved(schema)
        required = [] if answered else schema.get("required", [])
        fields = schema.get("properties", {})
        for name in sorted(fields, key=lambda name: name not in required):
            field = fields[name]
            row = self._row(f"{before}{name}", field, required=name in required, answered=answered)
            yield row
            inner = _inner(field)
            if inner and not row.of:
                dots = "[]." if "items" in field else "."
                yield from self._rows(self._schemas[inner], before=f"{before}{name}{dots}", answered=answered)

    def _row(
        self, name: str, field: Schema, *, required: bool, place: str = "", answered: bool = False
    ) -> Row:
        inner = _inner(field)
        default = None if answered else field.get("default")
        return Row(
            name=name,
            type=" or ".join(self._types(field, null=answered)),
            place=place,
            of=_section_id(inner) if inner in self.objects else "",
            required=required,
            description=field["description"],
            values=[value for one in _parts(field) for value in one.get("enum", [])],
            default="" if default is None else str(default).lower(),
        )

    def _types(self, field: Schema, *, null: bool) -> list[str]:
        # Text without a character stands for an absent value: it says nothing about the type.
        kinds = [self._type(one) for one in _parts(field) if one.get("maxLength") != 0]
        return [kind for kind in dict.fromkeys(kinds) if null or kind != "null"]

    def _type(self, field: Schema) -> str:
        if inner := _name(field):
            return inner if inner in self.objects else "object"
        if "items" in field:
            return f"{self._type(field['items'])}[]"
        return str(field.get("format") or field["type"])

    def _resolved(self, schema: Schema) -> Schema:
        name = _name(schema)
        return self._schemas[name] if name else schema


def _parts(field: Schema) -> list[Schema]:
    """The alternatives of the field, or what a default stands beside, or the field itself."""
    return field.get("anyOf") or field.get("allOf") or [field]


def _inner(field: Schema) -> str:
    """The name of the schema of the field's objects; "" without any."""
    return next(filter(None, (_name(one.get("items", one)) for one in _parts(field))), "")


def _name(schema: Schema) -> str:
    """The name of the referenced schema; "" for an inline one."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _section_id(name: str) -> str:
    return f"object-{name.lower()}"


def _success(operation: dict[str, Any]) -> tuple[Schema, Any]:
    """Schema and example of the first successful response."""
    [media] = operation["responses"][min(operation["responses"])]["content"].values()
    return media["schema"], media["example"]


def _failures(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((status, answer) for status, answer in operation["responses"].items() if status >= "400")
