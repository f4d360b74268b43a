#!/usr/bin/env python3
"""People for stories, and whether a sandbox holds exactly them.

usage: people.py make N [--from FIRST] [--changed EVERY] [--extra]
       people.py compare CSV STATE.json PLACE [--cleaned]

make prints a CSV of N people with what real lists bring along: quotes, commas, line breaks in cells, many scripts,
empty cells, blanks at the ends. With --changed, every EVERY-th has another job title; with --extra, two more columns.
compare reads a sandbox's GET /__state: PLACE (a campaign's or list's name) must hold each row of the CSV once, every
value byte for byte, and nobody else. With --cleaned the values are those that the step "clean" leaves.
"""
import csv
import io
import json
import sys
import unicodedata

CORE = {
    "first_name": "firstName", "last_name": "lastName", "company_name": "companyName", "job_title": "jobTitle",
    "phone": "phone", "website": "website", "personalization": "personalization", "email": "email",
}
FIRST = ["Ann", "José", "O'Brien", "Zoë", "李", "Łukasz", "\"Ace\"", "Анна", "Mc Donald", "😀", " Bob", "d'Été", "null", "محمد",
         "\u202edlanoR", "Jose\u0301", "👩\u200d👩\u200d👧", "Ann  ", "\u00a0Eve\u00a0", "\ufeffKay", "'Max", "\"", "\U0010ffff"]
LAST = ["Smith", "Müller-Lüdenscheidt", "von, und zu", "Null", "None", "True", "0123", "Doe\r\nJr.", "\\backslash", "{x}",
        "0x1F", "007", "1e400", "-0", "NaN", "trailing\t ", "\rold Mac\nnew", "{{first_name}}", "\\u0041\\n", "a\x01b\x7f", "%00%s"]
COMPANY = ["Smith & Sons, Inc.", "A/S <b>", "", "Ünal \"U\" Ltd", "line\nbreak", "tab\there", "=1+1", "  spaced  "]
TITLE = ["CEO", "", "Head of R&D", "VP, Sales", "Ingénieure"]


def make(n, first, changed, extra):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header = ["email", "first_name", "last_name", "company_name", "job_title", "phone", "website"]
    writer.writerow(header + (["seats", "Origin Note"] if extra else []))
    for i in range(first, first + n):
        title = TITLE[i % len(TITLE)]
        if changed and i % changed == 0:
            title = "Former " + title
        row = [f"person{i}@example.com", FIRST[i % len(FIRST)], LAST[i % len(LAST)], COMPANY[i % len(COMPANY)], title,
               f"+49 30 {i:06d}", "" if i % 7 == 0 else f"https://example.com/{i}?a=1&b=\"2\""]
        writer.writerow(row + ([str(i % 90), f"note {i}"] if extra else []))
    sys.stdout.buffer.write(out.getvalue().encode())


def cleaned(column, value):
    """What "clean" makes of the cells above: without blanks, line ends and zero-width characters at the ends, and without
    placeholders. Marks of direction stay."""
    edges = {c for c in value if c.isspace() or (unicodedata.category(c) == "Cf" and unicodedata.bidirectional(c) == "BN")}
    value = value.strip("".join(edges))
    of_person = column in ("first_name", "last_name") and value.istitle()
    return "" if value.lower() in ("null", "nan", "none") and not of_person else value


def wrong(wanted, lead):
    """What of a lead is not as its row says."""
    payload = lead.get("payload") or {}
    for column, value in wanted.items():
        there = lead.get(column) if column in CORE else payload.get(column)
        if (there or "") != value:
            yield f"{wanted['email']}: {column} is {there!r}, not {value!r}"
    known = set(CORE.values()) | set(wanted)
    for name in payload:
        if name not in known:
            yield f"{wanted['email']}: has a variable {name!r}"


def compare(csv_path, state_path, place_name, clean):
    with open(csv_path, newline="", encoding="utf-8") as f:
        wanted = {row["email"].strip().lower(): row for row in csv.DictReader(f)}
    if clean:
        wanted = {key: {column: cleaned(column, row[column]) for column in row} for key, row in wanted.items()}
    with open(state_path, encoding="utf-8") as f:
        state = json.load(f)
    ids = {p["id"] for p in state["campaigns"] + state["lists"] if p["name"] == place_name}
    seen, faults = set(), []
    for lead in state["leads"]:
        if lead.get("campaign", lead.get("list_id")) not in ids:
            continue
        key = lead["email"].lower()
        if key in seen:
            faults.append(f"{key}: is there twice")
        elif key not in wanted:
            faults.append(f"{key}: is there and in no row")
        else:
            faults.extend(wrong(wanted[key], lead))
        seen.add(key)
    faults.extend(f"{key}: is not there" for key in wanted if key not in seen)
    for fault in faults[:5]:
        print(f"#   {fault}")
    if faults:
        print(f"#   {len(faults)} differences, {len(seen)} leads, {len(wanted)} rows")
    return 1 if faults else 0


def main(args):
    if args[:1] == ["make"]:
        option = {args[i]: args[i + 1] for i in range(2, len(args) - 1) if args[i] in ("--from", "--changed")}
        make(int(args[1]), int(option.get("--from", 1)), int(option.get("--changed", 0)), "--extra" in args)
        return 0
    if args[:1] == ["compare"] and len(args) in (4, 5) and args[4:] in ([], ["--cleaned"]):
        return compare(*args[1:4], len(args) == 5)
    print(__doc__, file=sys.stderr)
    return 64


sys.exit(main(sys.argv[1:]))
