"""The reference of all keys of a file, as Markdown, made from its JSON Schema."""

import json
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def reference(title: str, file: str, schema: Schema) -> str:
    """A page with a table: key, what it may hold, default, meaning.

    Args:
        title: the page's title.
        file: the pattern of the file's path.
        schema: the file's JSON Schema, with `$defs`.
    """
    head = f"# {title}\n\n`{file}`. Made by `sagestack schema` from the code that checks the file.\n\n"
    text = head + _table(_rows(schema, schema["$defs"], ""))
    for key, kind, section in _kinds(schema, schema["$defs"]):
        rows = _rows(section, schema["$defs"], f"{key}.")
        meaning = section["description"].split("\n\n")[0].replace("\n", " ")
        text += f"\n## `{key}` of kind `{kind}`\n\n{meaning}\n\n{_table(rows)}"
    return text


def _table(rows: Iterator[tuple[str, str, str, str]]) -> str:
    head = "| key | holds | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _kinds(schema: Schema, definitions: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Each section of each union at the top of the file or in a list, with the union's key and its own kind."""
    inner = (field for section in definitions.values() for field in section.get("properties", {}).items())
    listed = {f"{name}[]": field["items"] for name, field in inner if "oneOf" in field.get("items", {})}
    for name, field in {**schema["properties"], **listed}.items():
        if "oneOf" in field:
            for section in _sections(field, definitions):
                yield name, section["properties"]["kind"]["const"], section


def _rows(section: Schema, definitions: Schema, above: str) -> Iterator[tuple[str, str, str, str]]:
    required = section.get("required", [])
    for name, field in section["properties"].items():
        key = f"{above}{name}"
        below = _sections(field, definitions)
        default = "required" if name in required else _default(field)
        meaning = field["description"] if "description" in field else below[0]["description"]
        yield f"`{key}`", _holds(field, definitions), default, meaning
        if "oneOf" in field and not above:
            continue  # has tables of its own
        for one in below:
            yield from _rows(one, definitions, f"{key}[]." if "items" in field else f"{key}.")


def _sections(field: Schema, definitions: Schema) -> list[Schema]:
    options = [field, field.get("items", {}), *field.get("anyOf", []), *field.get("oneOf", [])]
    return [definitions[option["$ref"].rsplit("/", 1)[1]] for option in options if "$ref" in option]


def _default(field: Schema) -> str:
    if "default" not in field:
        return ""
    return f"`{json.dumps(field['default'], ensure_ascii=False)}`"


def _holds(field: Schema, definitions: Schema) -> str:
    if options := field.get("anyOf") or field.get("oneOf"):
        return " or ".join(dict.fromkeys(_holds(option, definitions) for option in options))
    if "$ref" in field:
        return "section"
    if "enum" in field or "const" in field:
        return ", ".join(f"`{choice}`" for choice in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {_holds(field['items'], definitions)}"
    if field.get("type") == "object":
        values = field.get("additionalProperties") or next(iter(field["patternProperties"].values()))
        return f"mapping of names to {_holds(values, definitions)}"
    words = {
        "integer": "whole number",
        "number": "number",
        "boolean": "`true` or `false`",
        "string": "text",
        "null": "`null`",
    }
    return words[field["type"]] + _limits(field)


def _limits(field: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {field[limit]:g}" for limit, sign in signs.items() if limit in field]
    return f" {', '.join(limits)}" if limits else ""
