#!/usr/bin/env python3
"""Runs leadsync into everything that can go wrong, and checks that nothing was lost or doubled.

A world is a sandbox, a CSV and a mapping made from a seed. Every night its table changes (rows come, change, change
sides, go and come back), people unsubscribe or bounce, and the night's syncs are disturbed: killed with SIGKILL or SIGINT
at a random moment, answered by faults, by jobs that fail or lie, cut short, refused by a full plan. When the disturbances end, plain syncs must
reach exactly the leads that the table says, the state's audit must find nothing, and one more sync must not write.

  hammer.py --program ./leadsync [--seed 1] [--kind K] [--worlds 100] [--cycles 10000] [--nights 4] [--jobs 8] [--keep]

Kinds of worlds, by turns: `routed` (two campaigns and a list), `keyed` (the same with a row key: addresses change, also back
again between two runs of a night, and some leads of the list have no address), `staged` (in by way of a list where they are
verified), `twins` (two syncs with states of their own bring the same people to the same places), `foretold` (no other
user works there, so what a diff on a settled state says is what the sync after it does, number for number), `doubled` (many
people have two rows, one of which may opt out).

Some nights begin with leads that were exported and imported again by hand, and some runs have a wrong mapping, which is put
right before the next one (WRONG): other values, no skip_when, a route that sends people elsewhere. Half of the worlds are lied to: created_leads that
are empty, partial, shifted or name another lead, a PATCH or DELETE that does nothing, a job that moved nothing, an empty list,
a list that lags, a write that comes late (LIES). There, what an answer is late by is far less than `settle`. Runs follow each
other at once, or after seconds of the sandbox's clock.

A cycle is one disturbed or settling run. Most of it is waiting (for jobs, and for back-off after faults), so --jobs worlds
go on side by side. Ends at the first difference, with the seed and kind that repeat it (moments of kills are the machine's,
so a seed repeats the plan, not the microsecond). Prints what was done as it goes.
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from table import CAMPAIGNS, PLACES, Table  # noqa: E402
from workspace import Difference, Stopped, Workspace  # noqa: E402

KINDS = ["routed", "keyed", "staged", "twins", "foretold", "doubled"]
FAULTS = ["drop-before", "drop-after", "500", "500-after", "503", "429", "truncate", "garbage"]
ROUTES = ["POST /leads/add", "POST /leads/move", "DELETE /leads", "PATCH /leads/*", "POST /leads/list",
          "GET /background-jobs"]
LATE_MS = 60  # of a lied world, whose settle is SETTLE_LIED
SETTLE, SETTLE_LIED = "60ms", "400ms"
PAUSE_MS = 2500  # more than what a client may take for its own request's time
LATE_WRITES = [f"late-write@{LATE_MS}", f"late-hang@{LATE_MS}"]
# An answer that echoes what it did not store, and a DELETE without an effect that the next look does not show, are left out:
# no client can tell them from the truth.
LIES = {
    "POST /leads/add": ["empty-created", "nameless-omitted", "uploaded-unlisted", "shifted-index", "shifted-index@created",
                        "same-id", "same-id@stranger"] + LATE_WRITES,
    "POST /leads/move": ["job-lies"] + LATE_WRITES,
    "DELETE /leads": ["delete-ignored"] + LATE_WRITES,
    "PATCH /leads/*": ["patch-ignored"] + LATE_WRITES,
    "POST /leads/list": ["list-empty", f"list-lag@{LATE_MS}"],
}
JOBS = ["fail", "cancel", "vanish", "pause", "draining", "zero", "partial", "unknown-status", "lies"]
SETTLING_RUNS = 12
REMOVED = {"keep": "keep", "delete": "delete", "move": "{move_to: {list: Gone}, if_there: delete}"}
ROUTE = "route: {column: place, cases: {north: {campaign: North}, south: {campaign: South}, shelf: {list: Shelf}}}"
# What a user makes of the mapping for one run. In a keyed world a lead may be left behind in a wrong place, and two syncs do
# not know of each other what a move makes Instantly forget.
WRONG = {"first": {"first": "{template: '{first}.wrong'}"}, "seats": {"seats": "id"}, "skip": {"skip": False},
         "route": {"route": "route: {column: place, cases: {north: {campaign: South}, south: {list: Shelf}, "
                            "shelf: {campaign: North}}}"}}
STAGE = "target: {campaign: North}\nstage: {list: Shelf, promote: {campaign: North}, only: valid}"
MAPPING = """version: 1
name: {name}
source: {{csv: {{path: people.csv}}}}
{way}
{lines}
fields: {{email: email, first_name: {first}}}
custom_variables: {{seats: {seats}}}
dedupe: {dedupe}
contacted: move
guards: {{removed: none, moved: none, changed: none, rejected: none, empty_source: stop, source_shrank: none}}
limits: {{batch: {batch}, requests_per_second: 0, requests_per_minute: 0, settle: {settle}, job_wait: 2s}}
"""
stop = threading.Event()


class World(Workspace):
    def __init__(self, program, seed, kind, keep):
        self.seed, self.kind = seed, kind
        self.random = random.Random(f"{seed} {kind}")
        super().__init__(program, "--latency", str(self.random.choice([0, 1, 3])), "--job-time",
                         str(self.random.choice([0, 5, 40])), "--campaign", "North", "--campaign", "South", "--list",
                         "Shelf", "--list", "Gone", keep=keep)
        self.cycles = 0
        self.plans = []     # disturbances of this night
        self.policy = "keep" if kind == "twins" else self.random.choice(list(REMOVED))
        self.then = None if kind == "twins" else self.random.choice(list(REMOVED))  # with the lead of who opted out
        self.lied = self.random.randrange(2) == 1
        self.syncs = ["soak.yaml"] + (["twin.yaml"] if kind == "twins" else [])
        self.table = Table(self.random, kind, self.policy, self.then, self.is_there_by_hand)
        self.start()

    def start(self):
        self.control(verify_ms=self.random.choice([0, 20, 150]),
                     read_lag_ms=self.random.choice([0, LATE_MS]) if self.lied else 0)
        self.values = self.random.choice(["kept", "hashed"])
        self.batch = self.random.choice([1, 7, 25, 1000])
        # A lead that was left behind or moved away under an address keeps the row that comes back to it out of the rest of the
        # workspace.
        self.dedupe = "target-only" if self.kind == "keyed" and (self.policy != "delete" or self.then == "move") else \
            self.random.choice(["workspace", "any-campaign", "any-list", "target-only"])
        self.wrong = ["first", "seats"] + ["skip"] * (self.then is not None)
        # A new lead elsewhere cannot go where another user had uploaded the person before.
        if self.kind == "foretold" or (self.kind in ("routed", "doubled") and self.dedupe == "workspace"):
            self.wrong.append("route")
        self.write_mappings()

    def write_mappings(self, first="first", seats="seats", skip=True, route=ROUTE):
        lines = f"mode: mirror\nremoved: {REMOVED[self.policy]}" + ("\nkey: [id]" if self.kind == "keyed" else "")
        if self.then and skip:
            lines += f"\nskip_when: [{{column: out, in: ['1'], then: {REMOVED[self.then]}}}]"
        lines += f"\nstate: {{values: {self.values}}}"
        way = STAGE if self.kind == "staged" else route
        for name, more in (("soak", lines), ("twin", "mode: upsert")):
            with open(f"{self.folder}/{name}.yaml", "w", encoding="utf-8") as f:
                f.write(MAPPING.format(name=name, way=way, lines=more, batch=self.batch, dedupe=self.dedupe, first=first,
                                       seats=seats, settle=SETTLE_LIED if self.lied else SETTLE))

    # ---- the table, and who else works there ----

    def change_table(self):
        self.table.change()
        self.table.write(self.folder + "/people.csv")

    def mark_people(self):
        """Some of those in campaigns unsubscribe, bounce, or are skipped."""
        if self.kind == "foretold":
            return
        inside = sorted(name for name, have in self.there().items() if have[0][0] in CAMPAIGNS)
        rows = {self.table.name(ident, row) for ident, row in self.table.rows.items()}
        for name in self.random.sample(inside, len(inside) // 10):
            self.control(status={name: self.random.choice([-1, -2, -3])})
            self.table.marked[name] = name in rows

    def delete_people(self):
        """Another user works in the workspace, too."""
        names = self.random.sample(there := sorted(self.there()), min(len(there), 3))
        self.control(delete=names)
        self.table.deleted.update(names)

    def import_again(self):
        """A user exports the leads of a place, deletes them and imports them: the same leads under other ids. Without an
        address a lead cannot be known again."""
        if self.kind != "foretold" and self.random.randrange(6) == 0:
            self.control(ids_changed=[self.random.choice(sorted(CAMPAIGNS) if self.kind == "keyed" else PLACES)])

    def is_there_by_hand(self, row):
        """Another user has uploaded the person before the row came."""
        self.control(add={"to": row["place"], "leads": [{"email": row["email"], "first_name": "By hand"}]})

    # ---- disturbances ----

    def fault(self):
        r = self.random
        if self.lied and r.randrange(4):
            return self.lie()
        kind = r.choice(FAULTS)
        # Each 429 in a row doubles a pause: half of the answers would be hours.
        return f"{r.choice(ROUTES)}:{kind}={5 if kind == '429' else r.choice([5, 20, 50])}%"

    def lie(self):
        r = self.random
        route = r.choice(list(LIES))
        kind = r.choice(LIES[route])
        # A list that never shows a lead without an address has it sent again: one look of several may lie.
        when = f"#{r.randrange(1, 9)}" if kind == "list-empty" else f"{r.choice([5, 20, 50, 100])}%"
        return f"{route}:{kind}={when}"

    def pause(self):
        """The next run follows at once, or after a while."""
        if self.random.randrange(2):
            self.control(advance_ms=PAUSE_MS)

    def disturb(self):
        r = self.random
        plan = {}
        self.pause()
        if self.lied or r.randrange(2):
            plan["faults"] = ";".join(self.fault() for _ in range(r.randrange(1, 4)))
        if r.randrange(2):
            plan.update(jobs=r.choice(JOBS), jobs_n=r.randrange(1, 4))
        if r.randrange(6) == 0:  # a plan without room, for some runs
            plan.update(plan_limit=sum(map(len, self.there().values())) + r.randrange(4), plan_partial=r.randrange(2) == 0)
        self.plans.append(plan.get("faults", "") + " " + plan.get("jobs", ""))
        self.control(**plan)
        wrong = r.choice(self.wrong) if r.randrange(5) == 0 else None
        if wrong:
            self.plans[-1] += " wrong " + wrong
            self.write_mappings(**WRONG[wrong])
            self.table.tainted |= self.table.never if wrong == "skip" else set()
        syncs = r.sample(self.syncs, r.randrange(1, len(self.syncs) + 1))
        runs = []
        for sync in syncs:
            command, words = "sync", ["-q"]
            if r.randrange(16) == 0:
                words += ["--max-seconds", "1"]
            if r.randrange(10) == 0 and os.path.exists(f"{self.folder}/state/leadsync/{sync[:-5]}.sandbox.db"):
                command, words = "resume", ["-q"]
            runs.append(self.leadsync(command, sync, *words))
        for run in runs:
            self.interrupt(run, r.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, None] + [None, None] * self.lied),
                           r.uniform(0, r.choice([0.05, 0.2, 0.4] + [1] * self.lied)), plan)
        self.write_mappings()
        self.control(faults="", jobs="ok")
        if r.randrange(3):
            self.control(plan_limit=-1)
        self.cycles += len(runs)

    def interrupt(self, run, kind, after_s, plan):
        try:
            run.wait(after_s if kind else 0)
        except subprocess.TimeoutExpired:
            if kind is not None:
                run.send_signal(kind)
        code = self.end_of(run, 600)
        if code not in (0, 1, 69, 130, -2, -9):
            raise Difference(f"exit status {code} under {plan}: {self.said(run.args[2])}")

    def plain(self, sync):
        """A sync without a disturbance. Is all work over?"""
        code = self.end_of(self.leadsync("sync", sync, "-q", "--format", "json"), 600)
        self.cycles += 1
        if code not in (0, 1):
            raise Difference(f"a plain sync ends in {code}: {self.said(sync)}")
        with open(f"{self.folder}/{sync}.out", encoding="utf-8") as f:
            rows = json.load(f)["rows"]
        if code == 1 and rows["rejected"] == 0 and rows["failed"] + rows["deferred"] == 0:
            return False
        return rows["failed"] + rows["deferred"] == 0 and "open" not in self.said(sync).split("{")[0]

    def foretold(self):
        """A diff and a sync, which agree."""
        told = []
        for command, member in (("diff", "summary"), ("sync", "rows")):
            if self.end_of(self.leadsync(command, "soak.yaml", "-q", "--format", "json"), 180) != 0:
                raise Difference(f"a {command} that nobody disturbs fails: {self.said('soak.yaml')}")
            with open(f"{self.folder}/soak.yaml.out", encoding="utf-8") as f:
                told.append(json.load(f)[member])
        self.cycles += 1
        diff, sync = told
        names = {"create": "created", "update": "updated", "move": "moved", "remove": "removed"}
        wrong = [word for word in diff if word not in ("duplicates", "open") and diff[word] != sync[names.get(word, word)]]
        if wrong or sync["failed"] + sync["deferred"] > 0:
            raise Difference(f"the diff told otherwise of {wrong}: {diff}, {sync}")

    def settle(self):
        self.control(plan_limit=-1)
        for _ in range(SETTLING_RUNS):
            self.pause()
            # Both of two: what one of them did last may be news for the other.
            if all([self.plain(sync) for sync in self.syncs]):
                return
        raise Difference(f"{SETTLING_RUNS} plain syncs do not come to an end: {self.said(self.syncs[0])}")

    # ---- a night, and what must be there at its end ----

    def night(self):
        self.plans.clear()
        self.mark_people()
        self.import_again()
        self.change_table()
        if self.kind == "foretold":
            self.foretold()
            self.table.compare(self.there())
            self.change_table()
        for _ in range(self.random.randrange(0, 10)):
            if stop.is_set():
                raise Stopped
            if self.kind == "keyed" and self.random.randrange(2):
                self.table.change_back_and_forth()
                self.table.write(self.folder + "/people.csv")
            self.disturb()
            if self.kind not in ("keyed", "foretold") and self.random.randrange(20) == 0:
                self.delete_people()
        self.settle()
        self.table.compare(self.there())
        for sync in self.syncs:
            code = self.end_of(self.leadsync("status", sync, "--audit"), 600)
            if code != 0:
                raise Difference(f"the audit ends in {code}: {self.said(sync)}")
        self.control(reset=True)
        if not all([self.plain(sync) for sync in self.syncs]):
            raise Difference("a sync with nothing to do leaves something over")
        writes = [q for q in self.get("/__requests")["requests"]
                  if q["method"] != "GET" and not q["path"].endswith("/leads/list")]
        if writes:
            raise Difference(f"a sync with nothing to do wrote: {writes[:3]}")


def live(options, seed):
    """One world from its first night to its last: a line that says what it was, its cycles, and whether all is well."""
    kind = options.kind or KINDS[seed % len(KINDS)]
    world = World(options.program, seed, kind, options.keep)
    failed = True
    try:
        for _ in range(options.nights):
            world.night()
        failed = False
        return f"{world.cycles} cycles, {len(world.table.rows)} rows, removed: {world.policy}", world.cycles, True
    except Stopped:
        failed = False
        return "stopped", world.cycles, True
    except Difference as difference:
        stop.set()
        return f"{difference}; disturbed by {world.plans}", world.cycles, False
    finally:
        world.stop(failed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--worlds", type=int, default=1 << 30)
    parser.add_argument("--cycles", type=int, default=10000)
    parser.add_argument("--nights", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    cycles, seed, well, began, going = 0, options.seed, True, time.monotonic(), {}
    with ThreadPoolExecutor(options.jobs) as pool:
        while True:
            while len(going) < options.jobs and cycles < options.cycles and seed < options.seed + options.worlds and \
                    not stop.is_set():
                going[pool.submit(live, options, seed)] = seed
                seed += 1
            if not going:
                break
            for done in wait(going, return_when=FIRST_COMPLETED).done:
                number = going.pop(done)
                text, n, is_well = done.result()
                cycles, well = cycles + n, well and is_well
                print(f"seed {number}, {options.kind or KINDS[number % len(KINDS)]}: {text}; {cycles} in all", flush=True)
    rate = cycles * 60 / (time.monotonic() - began)
    print(f"{cycles} cycles, seeds {options.seed} to {seed - 1}, {rate:.0f} a minute: "
          f"{'nothing lost, nothing doubled' if well else 'FAILED'}")
    sys.exit(not well)


if __name__ == "__main__":
    main()
