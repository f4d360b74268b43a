#!/usr/bin/env python3
"""Runs leadsync into everything that can go wrong, and checks that nothing was lost or doubled.

A world is a sandbox, a CSV and a mapping made from a seed. Every night its table changes (rows come, change, change
sides, go and come back), and the night's sync is disturbed: killed with SIGKILL or SIGINT at a random moment, answered
by faults, by jobs that fail or lie, cut short. When the disturbances end, plain syncs must reach exactly the leads that
the table says, the state's audit must find nothing, and one more sync must not write.

  hammer.py --program ./leadsync [--seed 1] [--worlds 100] [--cycles 10000] [--nights 4] [--keep]

A cycle is one disturbed or settling run. Ends at once at the first difference, with the seed that repeats it (moments
of kills are the machine's, so a seed repeats the plan, not the microsecond). Prints what was done as it goes.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

PLACES = ["North", "South", "Shelf"]  # two campaigns and a list
FAULTS = ["drop-before", "drop-after", "500", "500-after", "503", "429", "truncate", "garbage"]
ROUTES = ["POST /leads/add", "POST /leads/move", "DELETE /leads", "PATCH /leads/*", "POST /leads/list",
          "GET /background-jobs"]
JOBS = ["fail", "cancel", "vanish", "pause", "draining", "zero", "partial", "unknown-status"]
SETTLING_RUNS = 12


class Difference(Exception):
    """What the table says is not what is there."""


class World:
    def __init__(self, program, seed, keep):
        self.program, self.seed, self.keep = os.path.abspath(program), seed, keep
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="leadsync-soak-")
        self.table = {}
        self.gone = {}  # address: where it was last
        self.next_person = 0
        self.cycles = 0
        self.policy = self.random.choice(["keep", "delete", "move"])
        self.start()

    # ---- the two programs ----

    def start(self):
        env = {"PATH": os.environ["PATH"], "HOME": self.folder, "XDG_STATE_HOME": self.folder + "/state",
               "LC_ALL": "C.UTF-8", "INSTANTLY_API_KEY": "soak"}
        env.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_"))})
        self.env = env
        self.sandbox = subprocess.Popen(
            [self.program, "sandbox", "--rate", "0", "--latency", str(self.random.choice([0, 1, 3])), "--campaign",
             "North", "--campaign", "South", "--list", "Shelf", "--list", "Gone"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, cwd=self.folder, text=True)
        self.url = self.sandbox.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("the sandbox did not start")
        env["INSTANTLY_API_URL"] = self.url
        removed = {"keep": "keep", "delete": "delete", "move": "{move_to: {list: Gone}}"}[self.policy]
        batch = self.random.choice([1, 7, 25, 1000])
        with open(self.folder + "/soak.yaml", "w", encoding="utf-8") as f:
            f.write(f"""version: 1
name: soak
source: {{csv: {{path: people.csv}}}}
route: {{column: place, cases: {{north: {{campaign: North}}, south: {{campaign: South}}, shelf: {{list: Shelf}}}}}}
mode: mirror
removed: {removed}
fields: {{email: email, first_name: first}}
custom_variables: {{seats: seats}}
contacted: move
guards: {{removed: none, moved: none, rejected: none, empty_source: stop, source_shrank: none}}
limits: {{batch: {batch}, requests_per_second: 0, requests_per_minute: 0, settle: 60ms, job_wait: 2s}}
""")

    def stop(self, failed):
        self.sandbox.kill()
        self.sandbox.wait()
        if failed or self.keep:
            print(f"kept: {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder)

    def control(self, **what):
        request = urllib.request.Request(self.url + "/__control", json.dumps(what).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def leadsync(self, *words):
        return subprocess.Popen([self.program, *words], env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL,
                                stdout=open(self.folder + "/out", "w", encoding="utf-8"),
                                stderr=open(self.folder + "/err", "w", encoding="utf-8"))

    # ---- the table ----

    def change_table(self):
        r = self.random
        known = sorted(self.table)
        for email in r.sample(known, len(known) // 8):
            row = self.table[email]
            what = r.randrange(3)
            if what == 0:
                row["place"] = r.choice(PLACES)
            elif what == 1:
                row["first"] = f"F{r.randrange(1000)}"
            else:
                row["seats"] = str(r.randrange(1000))
        for email in r.sample(known, len(known) // 10):
            self.gone[email] = self.table.pop(email)
        for email in r.sample(sorted(self.gone), len(self.gone) // 3):
            row = self.gone.pop(email)
            if r.randrange(2):
                row["place"] = r.choice(PLACES)
            self.table[email] = row
        for _ in range(r.choice([5, 20, 60])):
            self.next_person += 1
            self.table[f"p{self.next_person}@example.com"] = {
                "first": f"F{self.next_person}", "seats": str(r.randrange(100)), "place": r.choice(PLACES)}
        rows = list(self.table.items())
        r.shuffle(rows)
        with open(self.folder + "/people.csv", "w", encoding="utf-8") as f:
            f.write("email,first,seats,place\n")
            f.writelines(f"{e},{v['first']},{v['seats']},{v['place'].lower()}\n" for e, v in rows)

    # ---- a night ----

    def fault(self):
        r = self.random
        kind = r.choice(FAULTS)
        # Each 429 in a row doubles a pause: half of the answers would be hours.
        return f"{r.choice(ROUTES)}:{kind}={5 if kind == '429' else r.choice([5, 20, 50])}%"

    def disturb(self):
        r = self.random
        plan = {}
        if r.randrange(2):
            plan["faults"] = ";".join(self.fault() for _ in range(r.randrange(1, 4)))
        if r.randrange(2):
            plan.update(jobs=r.choice(JOBS), jobs_n=r.randrange(1, 4))
        self.control(**plan)
        words = ["sync", "soak.yaml", "-q"]
        if r.randrange(8) == 0:
            words += ["--max-seconds", "1"]
        if r.randrange(10) == 0:
            words = ["resume", "soak.yaml", "-q"] if os.path.exists(self.folder + "/state/leadsync") else words
        run = self.leadsync(*words)
        kind = r.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, None])
        try:
            run.wait(r.uniform(0, 0.4) if kind else 180)
        except subprocess.TimeoutExpired:
            if kind is None:
                raise Difference(f"a run hung for three minutes under {plan}") from None
            run.send_signal(kind)
            try:
                run.wait(60)
            except subprocess.TimeoutExpired:
                raise Difference(f"a run did not end after its signal under {plan}") from None
        self.control(faults="", jobs="ok")
        self.cycles += 1
        if run.returncode not in (0, 1, 69, 130, -2, -9):
            raise Difference(f"exit status {run.returncode}: {self.text('err')}")

    def text(self, name):
        with open(f"{self.folder}/{name}", encoding="utf-8") as f:
            return f.read()[-2000:]

    def settle(self):
        for _ in range(SETTLING_RUNS):
            run = self.leadsync("sync", "soak.yaml", "-q", "--format", "json")
            code = run.wait(120)
            self.cycles += 1
            if code == 0:
                return
            if code != 1:
                raise Difference(f"a plain sync ends in {code}: {self.text('err')}")
        raise Difference(f"{SETTLING_RUNS} plain syncs do not come to an end: {self.text('out')}")

    def there(self):
        state = self.get("/__state")
        names = {p["id"]: p["name"] for p in state["campaigns"] + state["lists"]}
        leads = {}
        for lead in state["leads"]:
            payload = lead.get("payload") or {}
            place = names.get(lead.get("campaign") or lead.get("list_id"))
            leads.setdefault(lead["email"], []).append((place, payload.get("firstName"), payload.get("seats")))
        return leads

    def expected(self):
        leads = {e: [(v["place"], v["first"], v["seats"])] for e, v in self.table.items()}
        if self.policy == "move":
            leads.update({e: [("Gone", None, None)] for e in self.gone})
        return leads

    def compare(self):
        there, wanted = self.there(), self.expected()
        for email in sorted(set(there) | set(wanted)):
            have, want = there.get(email, []), wanted.get(email, [])
            if email in self.gone:
                # It may have come and gone between two runs, and values of what is gone are not kept up.
                if len(have) > 1 or (self.policy == "delete" and have) or \
                   (self.policy == "move" and have and have[0][0] != "Gone"):
                    raise Difference(f"{email} is gone, policy {self.policy}, and is there as {have}")
            elif have != want:
                raise Difference(f"{email}: there {have}, wanted {want}")

    def night(self):
        self.change_table()
        for _ in range(self.random.randrange(0, 10)):
            self.disturb()
        self.settle()
        self.compare()
        audit = self.leadsync("status", "soak.yaml", "--audit")
        if audit.wait(60) != 0:
            raise Difference(f"the audit ends in {audit.returncode}: {self.text('out')}{self.text('err')}")
        self.control(reset=True)
        run = self.leadsync("sync", "soak.yaml", "-q", "--format", "json")
        if run.wait(60) != 0:
            raise Difference(f"a sync with nothing to do ends in {run.returncode}: {self.text('err')}")
        self.cycles += 1
        writes = [q for q in self.get("/__requests")["requests"]
                  if q["method"] != "GET" and not q["path"].endswith("/leads/list")]
        if writes:
            raise Difference(f"a sync with nothing to do wrote: {writes[:3]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--worlds", type=int, default=1 << 30)
    parser.add_argument("--cycles", type=int, default=10000)
    parser.add_argument("--nights", type=int, default=4)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    cycles, seed = 0, options.seed
    while cycles < options.cycles and seed < options.seed + options.worlds:
        world = World(options.program, seed, options.keep)
        failed = True
        try:
            for _ in range(options.nights):
                world.night()
            failed = False
        except Difference as difference:
            print(f"seed {seed}: {difference}", flush=True)
            sys.exit(1)
        finally:
            world.stop(failed)
        cycles += world.cycles
        print(f"seed {seed}: {world.cycles} cycles, {len(world.table)} rows, removed: {world.policy}; "
              f"{cycles} in all", flush=True)
        seed += 1
    print(f"{cycles} cycles, seeds {options.seed} to {seed - 1}: nothing lost, nothing doubled")


if __name__ == "__main__":
    main()
