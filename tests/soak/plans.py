#!/usr/bin/env python3
"""Random pairs of a state and a changed source: what `diff --save` says is exactly what `apply` does, number for number and field for
field, and Instantly then has the leads that a sync would have made. A plan is refused, and sends nothing, once its mapping or its state
has changed. An apply that is killed ends in the same leads.

usage: plans.py --program LEADSYNC [--worlds N] [--seed N]

The seed repeats the worlds.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drift import FIELDS, World, fail  # noqa: E402


def change_source(world):
    """People leave, come, change and move; the rows come in another order."""
    rng = world.rng
    for email in list(world.people):
        deed = rng.choices(["none", "change", "leave", "move"], [6, 3, 1, 1])[0]
        if deed == "change":
            world.people[email][rng.choice(FIELDS)] = f"new {rng.randrange(1000)}"
        elif deed == "leave":
            del world.people[email]
        elif deed == "move" and world.routed:
            world.people[email]["place"] = rng.choice(["Demo", "Other"])
    for i in range(rng.randrange(30)):
        world.people[f"new{i}@example.com"] = {"first_name": f"N{i}", "company_name": "", "job_title": f"T{i}",
                                               "place": rng.choice(["Demo", "Other"]) if world.routed else "Demo"}
    for i in range(rng.randrange(3)):
        world.people[f"no address {i}"] = {"first_name": "X", "company_name": "", "job_title": "", "place": "Demo"}
    world.write()


def opt_out(world):
    """Some people unsubscribe in Instantly; the state does not know."""
    there = {lead["email"] for lead in world.leads()}
    for email in [e for e in world.people if e in there and world.rng.random() < 0.1]:
        world.control({"status": {email: -2}})


def begin(program, seed, folder):
    world = World(program, seed, folder)
    world.run("sync")
    change_source(world)
    opt_out(world)
    return world


def leads(world):
    state = json.load(urllib.request.urlopen(world.url + "/__state"))
    names = {place["id"]: place["name"] for place in state["campaigns"] + state["lists"]}
    return sorted((lead["email"], names.get(lead.get("campaign") or lead.get("list_id")), lead["status"],
                   [lead.get(field) or "" for field in FIELDS]) for lead in state["leads"])


def raw(world, *words, status=(0,)):
    done = subprocess.run([world.program, *words], cwd=world.folder, env=world.env, capture_output=True, text=True, check=False)
    if done.returncode not in status:
        fail(world, f"{' '.join(words)} ends with {done.returncode}: {done.stderr}")
    return done.stdout


def refused(world, what):
    before = leads(world)
    raw(world, "apply", "p.plan", "--yes", status=(3,))
    if leads(world) != before:
        fail(world, f"a plan with {what} is refused, and leads have changed")


def try_stale(world):
    """The mapping changes, and is put back; then the plan is whole again."""
    path = world.folder + "/people.yaml"
    with open(path, encoding="utf-8") as old:
        text = old.read()
    with open(path, "a", encoding="utf-8") as new:
        new.write("# changed\n")
    refused(world, "another mapping")
    with open(path, "w", encoding="utf-8") as new:
        new.write(text)


def kill_some(world):
    for _ in range(world.rng.randrange(1, 4)):
        world.control({"latency_ms": 20})
        victim = subprocess.Popen([world.program, "apply", "p.plan", "--yes"], cwd=world.folder, env=world.env,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            victim.wait(world.rng.random() * 0.5)
        except subprocess.TimeoutExpired:
            victim.send_signal(signal.SIGKILL)
            victim.wait()
        world.control({"latency_ms": 0})


def planned_values(plan):
    """The values that a plan writes, by key; and the people whom it removes."""
    values, removed = {}, set()
    for change in plan["changes"]:
        if change["op"] == "remove":
            removed.add(change["key"])
        elif change["op"] in ("create", "rekey", "update"):
            values[change["key"]] = {name: new for name, (_, new) in change["fields"].items() if name != "email"}
    return values, removed


def compare(world, plan, report, results):
    values, removed = planned_values(plan)
    done = {r["key"]: {name: new for name, (_, new) in (r["changes"] or {}).items() if name != "email"}
            for r in results if r["outcome"] in ("created", "changed") and r["row"] is not None}
    for key, written in done.items():
        if key in values and written and written != values[key]:
            fail(world, f"{key}: planned {values[key]}, written {written}")
    left = {r["key"] for r in results if r["outcome"] in ("skipped", "failed", "deferred", "unchanged", "rejected")}
    for key in values:
        if key not in done and key not in left:
            fail(world, f"{key} was planned, and the results do not name it")
    if report["rows"]["removed"] > len(removed):
        fail(world, f"{report['rows']['removed']} leads were removed, {len(removed)} were planned")
    if report["rows"]["created"] > plan["summary"]["create"]:
        fail(world, "more leads were created than planned")


def one_world(program, seed):
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        applied, synced = begin(program, seed, a), begin(program, seed, b)
        kills = applied.rng.random() < 0.4
        try:
            plan = applied.run("diff", "--save", "p.plan")
            if json.loads(raw(applied, "diff", "p.plan", "--format", "json"))["changes"] != plan["changes"]:
                fail(applied, "the saved plan shows other changes than the dry run")
            os.rename(a + "/people.csv", a + "/away.csv")
            try_stale(applied)
            if kills:
                kill_some(applied)
            done = subprocess.run([program, "apply", "p.plan", "--yes", "--format", "json"], cwd=a, env=applied.env,
                                  capture_output=True, text=True, check=False)
            if done.returncode not in (0, 1, 3) or (done.returncode == 3 and not kills):
                fail(applied, f"apply ends with {done.returncode}: {done.stderr}")
            synced.run("sync", status=(0, 1))
            if leads(applied) != leads(synced):
                fail(applied, f"apply and sync differ: {set(map(str, leads(applied))) ^ set(map(str, leads(synced)))}")
            if not kills:
                compare(applied, plan, json.loads(done.stdout),
                        json.loads(raw(applied, "results", "--all", "--state", "people.db", "--format", "json")))
        finally:
            for world in (applied, synced):
                world.box.kill()
                world.box.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    for i in range(options.worlds):
        one_world(os.path.abspath(options.program), options.seed + i)
    print(f"{options.worlds} plans were applied exactly, seeds {options.seed} to {options.seed + options.worlds - 1}")


if __name__ == "__main__":
    main()
