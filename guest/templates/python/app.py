"""The {{name}} connector: keeps notes in the table `notes`.

It plans and does nothing else: SQL text, and pointers to the values that fill it. Airlock runs the
plan. The records are those of wit/connector.wit, as classes of wit_world.imports.types.
"""

import json

import wit_world
from componentize_py_types import Err
from wit_world.imports import types
from wit_world.imports.types import Access, Parameter, ParameterKind

CONNECTION = Parameter(
    name="database_connection_str",
    kind=ParameterKind.CONNECTION,
    required=True,
    summary="Connection string, or name of a database.",
    schema=None,
    sealed=[],
)

# "" seals the whole parameter: the connector sees its kind, such as "string", and not the value.
TEXT = Parameter(
    name="text",
    kind=ParameterKind.TEXT,
    required=True,
    summary="The note.",
    schema=json.dumps({"type": "string"}),
    sealed=[""],
)

PINNED = Parameter(
    name="pinned",
    kind=ParameterKind.BOOLEAN,
    required=False,
    summary="Whether the note comes before others.",
    schema=json.dumps({"type": "boolean"}),
    sealed=[],
)

CONTAINS = Parameter(
    name="contains",
    kind=ParameterKind.TEXT,
    required=False,
    summary="Only notes with this in their text, whatever its case.",
    schema=json.dumps({"type": "string"}),
    sealed=[""],
)

ORDER = Parameter(
    name="order",
    kind=ParameterKind.TEXT,
    required=False,
    summary="newest, unless it is oldest.",
    schema=json.dumps({"enum": ["newest", "oldest"]}),
    sealed=[],
)

MANIFEST = types.Manifest(
    name="{{name}}",
    version="0.1.0",
    summary="Keeps notes.",
    commands=[
        types.Command(
            name="AddNote",
            summary="Adds a note; gives its id.",
            access=Access.WRITE,
            raw=False,
            parameters=[CONNECTION, TEXT, PINNED],
            errors=[],
            example=json.dumps({"text": "Buy milk", "pinned": True}),
        ),
        types.Command(
            name="FindNotes",
            summary="Finds notes, at most 100.",
            access=Access.READ,
            raw=False,
            parameters=[CONNECTION, CONTAINS, ORDER],
            errors=[
                types.ErrorDoc(
                    code="UnknownOrder",
                    summary="order is neither newest nor oldest. Use one of them.",
                )
            ],
            example=json.dumps({"contains": "milk", "order": "oldest"}),
        ),
    ],
)

DIRECTIONS = {"newest": "DESC", "oldest": "ASC"}


class WitWorld(wit_world.WitWorld):
    def describe(self) -> types.Manifest:
        return MANIFEST

    def plan(self, call: types.Call) -> types.Plan:
        """What it raises as Err is what the caller is told."""
        parameters = json.loads(call.input)
        match call.command:
            case "AddNote":
                return add_note(parameters)
            case "FindNotes":
                return find_notes(parameters)
            case other:
                raise failure("command_not_found", f"there is no command {other}")

    def resume(
        self, call: types.Call, state: bytes, outcomes: list[types.Outcome]
    ) -> types.Plan:
        """Continues after a plan that replied `resume`. None does here."""
        raise failure(
            "NotSupportedError", f"{call.command} does not continue after a plan"
        )


def add_note(parameters: dict) -> types.Plan:
    pinned = json.dumps(parameters.get("pinned") is True)
    statement = types.Statement(
        sql="INSERT INTO notes (text, pinned) VALUES ($1, $2) RETURNING id",
        arguments=types.Arguments_Once(
            [types.Argument_Input("/text"), types.Argument_Literal(pinned)]
        ),
        access=Access.WRITE,
        max_affected=None,
    )
    return types.Plan([statement], types.Reply_Rows(types.RowShape.OBJECTS))


def find_notes(parameters: dict) -> types.Plan:
    direction = DIRECTIONS.get(parameters.get("order", "newest"))
    if direction is None:
        raise failure("UnknownOrder", "order is newest or oldest", "/order")
    where, arguments = "", types.Arguments_None_()
    if "contains" in parameters:
        where = " WHERE strpos(lower(text), lower($1)) > 0"
        arguments = types.Arguments_Once([types.Argument_Input("/contains")])
    statement = types.Statement(
        sql=f"SELECT id, text, pinned FROM notes{where} ORDER BY pinned DESC, id {direction} LIMIT 100",
        arguments=arguments,
        access=Access.READ,
        max_affected=None,
    )
    return types.Plan([statement], types.Reply_Rows(types.RowShape.OBJECTS))


def failure(code: str, message: str, pointer: str | None = None) -> Err:
    stage = types.FailureStage.PARAMETERS
    return Err(types.Failure(code, message, pointer, stage))
