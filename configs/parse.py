"""Parse YAML files of JSON's types, wording what is wrong with one.

>>> parse_yaml("{since: 2024-01-01, on: true}")
{'since': '2024-01-01', True: True}
"""

from typing import Any, Final

import yaml

from configs.words import in_yaml
from schemas.errors import ConfigError

_TYPES: Final = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")}
"""The types of JSON, all that a config needs; YAML's others, such as dates and sets, are none of ours."""


class _Loader(yaml.SafeLoader):
    """A safe loader of JSON's types, for which a key written twice is a mistake and a date is text."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _not_valid(f"the key `{key.value}` stands twice in one section", key)
                seen.add(key.value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError):
            raise _not_valid(f"`{node.value}` is not a value of the type {node.tag}", node) from None


_Loader.yaml_constructors = {
    tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag is None or tag in _TYPES
}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _TYPES or tag == "tag:yaml.org,2002:merge"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_yaml(text: str) -> Any:
    """The value that the text is. ValueError with the place and the reason if it is not valid YAML."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"not valid YAML: {_where_and_why(error)}") from error


def parse_file(content: bytes, path: str, expected: str, start: str) -> dict[Any, Any]:
    """The section that a file is; `path` names the file in letters.

    Raises ConfigError if it is not UTF-8, not YAML, no section, in which case the letter says what was `expected`, or
    empty; then it says where to `start` from.
    """
    try:
        data = parse_yaml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except ValueError as error:
        raise ConfigError(f"{path}: this is {error}") from error
    if data is None:
        raise ConfigError(f"{path}: the file says nothing; docs/config.md {start}")
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected {expected}, got {in_yaml(data)}")
    return data


def _not_valid(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)


def _where_and_why(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        why = ", ".join(filter(None, [error.context, error.problem])).replace(r"'\x00'", "the end")
        return f"line {mark.line + 1}, column {mark.column + 1}: {why}"
    return " ".join(str(error).split())
