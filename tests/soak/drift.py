#!/usr/bin/env python3
"""Random worlds with edits by hand: `verify` names exactly the differences, `sync --remote` leaves only those that the mapping
leaves alone, and no person who unsubscribed is made active. A lost state and `adopt`: the next diff is that of the undisturbed state.

usage: drift.py --program LEADSYNC [--worlds N] [--seed N]

Each world is a sync of people into a campaign, or by a route into a campaign and a list, in mode upsert or mirror. Another user then
edits, moves, deletes, adds and unsubscribes leads. The differences are known from these edits. The seed repeats the plan.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.request

FIELDS = ["first_name", "company_name", "job_title"]
ENV = {"PATH": os.environ["PATH"], "INSTANTLY_API_KEY": "any", "LC_ALL": "C.UTF-8", "LEADSYNC_ABORT": "1"}


class World:
    def __init__(self, program, seed, folder):
        self.rng, self.folder, self.program = random.Random(seed), folder, program
        self.seed = seed
        self.routed = self.rng.random() < 0.5
        self.mode = self.rng.choice(["upsert", "mirror"])
        self.overwrite = {field: self.rng.choice(["always", "always", "if-empty", "never"]) for field in FIELDS}
        self.box = subprocess.Popen([program, "sandbox", "--rate", "0", "--list", "Other", "--list", "Away", "--seed", str(seed)],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.box.stdout.readline().strip()
        self.env = dict(ENV, HOME=folder, XDG_STATE_HOME=folder + "/state", INSTANTLY_API_URL=self.url)
        self.people = {}
        for i in range(self.rng.randrange(5, 160)):
            self.people[f"p{i}@example.com"] = {
                "first_name": f"F{i}", "company_name": self.rng.choice(["", f"C{i}"]), "job_title": self.rng.choice(["", f"T{i}"]),
                "place": self.rng.choice(["Demo", "Other"]) if self.routed else "Demo"}
        self.write()

    def write(self):
        with open(self.folder + "/people.csv", "w", encoding="utf-8") as out:
            out.write("email,first_name,company_name,job_title,place\n")
            for email, p in self.people.items():
                out.write(",".join([email] + [p[f] for f in FIELDS] + [p["place"]]) + "\n")
        target = ("route: {column: place, cases: {Demo: {campaign: Demo}, Other: {list: Other}}, otherwise: reject}"
                  if self.routed else "target: {campaign: Demo}")
        fields = "".join(f"  {f}: {{from: {f}, overwrite: {self.overwrite[f]}}}\n" for f in FIELDS)
        with open(self.folder + "/people.yaml", "w", encoding="utf-8") as out:
            out.write(f"""version: 1
name: people
source: {{csv: {{path: people.csv}}}}
{target}
mode: {self.mode}
dedupe: target-only
fields:
  email: email
{fields}guards: {{removed: none, moved: none, changed: none, rejected: none, source_shrank: none}}
limits: {{requests_per_second: 0, requests_per_minute: 0, settle: 400ms}}
""")

    def run(self, *words, status=(0,), state="people.db"):
        done = subprocess.run([self.program, *words, "people.yaml", "--state", state, "--format", "json"], cwd=self.folder,
                              env=self.env, capture_output=True, text=True, check=False)
        if done.returncode not in status:
            fail(self, f"{' '.join(words)} ends with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def control(self, change):
        body = json.dumps(change).encode()
        urllib.request.urlopen(urllib.request.Request(self.url + "/__control", body, {"Content-Type": "application/json"})).read()

    def leads(self):
        return json.load(urllib.request.urlopen(self.url + "/__state"))["leads"]

    def place(self, lead):
        """The name of the lead's campaign or list."""
        state = json.load(urllib.request.urlopen(self.url + "/__state?leads=0"))
        for place in state["campaigns"] + state["lists"]:
            if place["id"] in (lead.get("campaign"), lead.get("list_id")):
                return place["name"]
        return None

    # ---- what another user does, and how it differs ----

    def edit_by_hand(self):
        """Returns the expected differences {(sign, kind, key)} before and after sync --remote, and who unsubscribed."""
        before, after, unsubscribed = set(), set(), set()
        back = self.routed or self.mode == "mirror"
        for email, p in self.people.items():
            deed = self.rng.choices(["none", "edit", "delete", "move", "unsubscribe", "leave"],
                                    [10, 2, 1, 1, 1, 1])[0]
            if deed == "edit":
                field = self.rng.choice(FIELDS)
                value = self.rng.choice([None, "by hand"])
                if value is None and p[field] == "":
                    continue
                self.control({"edit": {email: {field: value}}})
                # An empty cell is not compared, and an emptied field is filled unless the field is never written.
                rule = self.overwrite[field]
                if p[field] != "" and (rule == "always" or (rule == "if-empty" and value is None)):
                    before.add(("*", "edited", email))
            elif deed == "delete":
                self.control({"delete": [email]})
                before.add(("+", "deleted", email))
                after.add(("+", "deleted", email))
            elif deed == "move":
                self.control({"move": {"to": "Away", "leads": [email]}})
                before.add(("*", "moved", email))
                if not back:
                    after.add(("*", "moved", email))
            elif deed == "unsubscribe":
                self.control({"status": {email: -2}})
                unsubscribed.add(email)
            elif deed == "leave":
                # Unsubscribed and moved: a move back would reset the status, so the lead stays.
                self.control({"status": {email: -2}, "move": {"to": "Away", "leads": [email]}})
                unsubscribed.add(email)
                before.add(("*", "moved", email))
                after.add(("*", "moved", email))
        for i in range(self.rng.randrange(3)):
            email = f"stranger{i}@example.com"
            self.control({"add": {"to": "Demo", "leads": [{"email": email}]}})
            before.add(("-", "unknown", email))
            after.add(("-", "unknown", email))
        return before, after, unsubscribed


def fail(world, why):
    print(f"world {world.seed} ({world.mode}, {'routed' if world.routed else 'one target'}, {world.overwrite}): {why}")
    sys.exit(1)


def differences(world, **words):
    report = world.run("verify", status=(0, 2), **words)
    return {(d["sign"], d["kind"], d["key"]) for d in report["differences"]}


def expect(world, when, wanted, there):
    if wanted != there:
        fail(world, f"{when}: not named {sorted(wanted - there)}, named wrongly {sorted(there - wanted)}")


def changes(diff):
    return sorted((c["op"], c["key"], json.dumps(c["fields"])) for c in diff["changes"])


def play(program, seed):
    folder = tempfile.mkdtemp(prefix="leadsync-drift-")
    world = World(program, seed, folder)
    try:
        world.run("sync")
        expect(world, "after the sync", set(), differences(world))
        before, after, unsubscribed = world.edit_by_hand()
        expect(world, "after the edits", before, differences(world))
        world.run("sync", "--remote")
        expect(world, "after sync --remote", after, differences(world))
        for lead in world.leads():
            if lead.get("email") in unsubscribed and lead["status"] != -2:
                fail(world, f"{lead['email']} unsubscribed, and has status {lead['status']}")
        # A lost state: what rows match is known again, so that the next diff has only rows without a lead in the targets.
        places = {"Demo", "Other"} if world.routed else {"Demo"}
        gone = set(world.people) - {lead["email"] for lead in world.leads() if world.place(lead) in places}
        world.run("adopt", state="new.db")
        new = [c for c in changes(world.run("diff", state="new.db")) if c[1] not in gone]
        if new != [c for c in changes(world.run("diff")) if c[1] not in gone]:
            fail(world, f"after adopt the diff has {new[:5]}")
    finally:
        world.box.terminate()
        world.box.wait()
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for seed in range(args.seed, args.seed + args.worlds):
        play(os.path.abspath(args.program), seed)
    print(f"{args.worlds} worlds: every difference was named, and only those")


if __name__ == "__main__":
    main()
