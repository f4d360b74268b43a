#!/usr/bin/env python3
"""A stranger's validator over mapping files.

usage: schema.py SCHEMA FILE...

Prints "FILE: valid", "FILE: refused: WHY" or "FILE: unread: WHY" (no YAML at all) for each. A FILE may be a mapping, or a
.case file, of which the part under "== mapping" counts. YAML is read as version 1.2 has it: yes, no and dates are text.
"""
import json
import re
import sys

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """YAML 1.2's core schema."""
    yaml_implicit_resolvers = {}


for tag, pattern, first in [
        ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
        ("int", r"^[-+]?[0-9]+$|^0o[0-7]+$|^0x[0-9a-fA-F]+$", list("-+0123456789")),
        ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789"))]:
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), first)


def text_of(path):
    with open(path, "rb") as f:
        data = f.read()
    if path.endswith(".case"):
        data = data.split(b"== mapping\n", 1)[1].split(b"\n== ", 1)[0] + b"\n"
    return data


def verdict(validator, path):
    try:
        mapping = yaml.load(text_of(path), Loader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as why:
        return "unread: " + str(why).splitlines()[0]
    worst = jsonschema.exceptions.best_match(validator.iter_errors(mapping))
    return "valid" if worst is None else "refused: " + worst.message[:200]


def main(schema_path, *paths):
    with open(schema_path, encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for path in paths:
        print(f"{path}: {verdict(validator, path)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
