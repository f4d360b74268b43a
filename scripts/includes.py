#!/usr/bin/env python3
"""usage: scripts/includes.py [--check]

Draws which room includes headers of which. A row is a room, a column is a room of an earlier row, and an x is an include. No room
includes a later one, so the picture is a triangle: there is no circle. Below it stand the rooms that have folders, with their
folders from the lowest to the highest: "*.h" is the room's own headers, and "*.c" its own sources. If there is a circle, prints its
includes and exits with 1.
--check: exits with 0 if docs/DESIGN.md has this picture.
"""
import os
import re
import sys

ROOMS = "tests/cases/rooms.txt"
PAGE = "docs/DESIGN.md"
INCLUDE = re.compile(r'#include "((?:sync|connectors|mappings)/[^"]*)"')


def rooms():
    with open(ROOMS, encoding="utf-8") as lines:
        return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def includes(names):
    """A set of included rooms per room."""
    found = {name: set() for name in names}
    for name in names:
        for folder, _, files in os.walk(name):
            for file in files:
                if file.endswith((".c", ".h")):
                    with open(os.path.join(folder, file), encoding="utf-8") as source:
                        headers = INCLUDE.findall(source.read())
                    found[name].update(room for room in names for header in headers if header.startswith(room + "/"))
        found[name].discard(name)
    return found


def folders(room):
    """A set of included folders per folder of the room; its own headers and its own sources count as a folder each."""
    found = {}
    for folder, _, files in os.walk(room):
        for file in files:
            if not file.endswith((".c", ".h")):
                continue
            name = os.path.relpath(folder, room) if folder != room else "*" + file[-2:]
            with open(os.path.join(folder, file), encoding="utf-8") as source:
                headers = [os.path.dirname(header) for header in INCLUDE.findall(source.read())]
            below = {os.path.relpath(header, room) for header in headers if header.startswith(room + "/")}
            found.setdefault(name, set()).update({"*.h"} if room in headers else set(), below)
    for name, below in found.items():
        below.discard(name)
    return found


def floors(found):
    """Groups of folders, the lowest first. Folders of a circle, and those above it, are missing."""
    groups, done = [], set()
    while len(done) < len(found):
        free = sorted(name for name in found if name not in done and found[name] & set(found) <= done)
        if not free:
            break
        groups.append(free)
        done.update(free)
    return groups


def in_order(names, found):
    """Lowest rooms first; those of one height as in the table. Rooms of a circle, and those above it, are missing."""
    order = []
    while len(order) < len(names):
        free = [name for name in names if name not in order and found[name] <= set(order)]
        if not free:
            return order
        order += free
    return order


def draw(order, found):
    letters = "abcdefghijklmnopqrstuvwxyz"
    width = max(len(name) for name in order)
    lines = []
    for i, name in enumerate(order):
        marks = " ".join("x" if below in found[name] else "." for below in order[:i])
        lines.append(f"{letters[i]} {name:<{width}}  {marks}".rstrip())
    lines.append(f"  {'':<{width}}  {' '.join(letters[:len(order) - 1])}")
    lines.append("")
    for name in order:
        groups = floors(folders(name))
        if any(not folder.startswith("*") for group in groups for folder in group):
            lines.append(f"{name}: {' < '.join(' '.join(group) for group in groups)}")
    return "\n".join(lines) + "\n"


def folder_circles(names):
    """Prints the includes of each circle of folders. True if there is one."""
    bad = False
    for room in names:
        found = folders(room)
        circle = set(found) - {name for group in floors(found) for name in group}
        for name in sorted(circle):
            print(f"in a circle, or above one: {room}/{name} includes {' '.join(sorted(found[name] & circle))}")
        bad = bad or bool(circle)
    return bad


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    names = rooms()
    found = includes(names)
    order = in_order(names, found)
    circle = [name for name in names if name not in order]
    for name in circle:
        print(f"in a circle, or above one: {name} includes {' '.join(sorted(found[name] & set(circle)))}")
    if folder_circles(names) or circle:
        return 1
    picture = draw(order, found)
    if sys.argv[1:] != ["--check"]:
        print(picture, end="")
        return 0
    with open(PAGE, encoding="utf-8") as page:
        if picture in page.read():
            return 0
    print(f"{PAGE} has another picture of the includes; it is:\n{picture}", end="")
    return 1


if __name__ == "__main__":
    sys.exit(main())
