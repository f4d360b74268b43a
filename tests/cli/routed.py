#!/usr/bin/env python3
"""People who are routed, and whether a sandbox has each of them where its row says.

usage: routed.py make N [--sides EVERY] [--changed EVERY]
       routed.py compare CSV STATE.json

make prints a CSV of N people, in turn of the segments "camp" and "list". With --sides, every EVERY-th is on the other
side; with --changed, every EVERY-th has another name.
compare reads a sandbox's GET /__state: campaign Demo must hold exactly the rows of "camp", list Incoming those of
"list", each once and with its name.
"""
import csv
import json
import sys

PLACES = {"camp": "Demo", "list": "Incoming"}


def make(n, sides, changed):
    print("email,first_name,segment")
    for i in range(n):
        segment = "camp" if (i % 2 == 0) != (sides > 0 and i % sides == 0) else "list"
        print(f"p{i}@example.com,{'Other' if changed and i % changed == 0 else 'First'} {i},{segment}")


def compare(csv_path, state_path):
    with open(csv_path, newline="", encoding="utf-8") as f:
        wanted = {row["email"]: (PLACES[row["segment"]], row["first_name"]) for row in csv.DictReader(f)}
    with open(state_path, encoding="utf-8") as f:
        state = json.load(f)
    names = {p["id"]: p["name"] for p in state["campaigns"] + state["lists"]}
    seen, faults = set(), []
    for lead in state["leads"]:
        email = lead["email"]
        is_there = (names[lead.get("campaign", lead.get("list_id"))], lead.get("first_name"))
        if email in seen:
            faults.append(f"{email}: is there twice")
        elif is_there != wanted.get(email):
            faults.append(f"{email}: is {is_there}, not {wanted.get(email)}")
        seen.add(email)
    faults.extend(f"{email}: is not there" for email in wanted if email not in seen)
    for fault in faults[:5]:
        print(f"#   {fault}")
    return 1 if faults else 0


def main(args):
    if args[:1] == ["make"]:
        option = {args[i]: int(args[i + 1]) for i in range(2, len(args) - 1, 2)}
        make(int(args[1]), option.get("--sides", 0), option.get("--changed", 0))
        return 0
    if args[:1] == ["compare"] and len(args) == 3:
        return compare(*args[1:])
    print(__doc__, file=sys.stderr)
    return 64


sys.exit(main(sys.argv[1:]))
