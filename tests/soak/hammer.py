#!/usr/bin/env python3
"""Runs leadsync into everything that can go wrong, and checks that nothing was lost or doubled.

A world is a sandbox, a CSV and a mapping made from a seed. Every night its table changes (rows come, change, change
sides, go and come back), people unsubscribe or bounce, and the night's syncs are disturbed: killed with SIGKILL or SIGINT
at a random moment, answered by faults, by jobs that fail or lie, cut short. When the disturbances end, plain syncs must
reach exactly the leads that the table says, the state's audit must find nothing, and one more sync must not write.

  hammer.py --program ./leadsync [--seed 1] [--kind K] [--worlds 100] [--cycles 10000] [--nights 4] [--jobs 8] [--keep]

Kinds of worlds, by turns: `routed` (two campaigns and a list), `keyed` (the same with a row key: addresses change, and
some leads of the list have none), `staged` (in by way of a list where they are verified), `twins` (two syncs with states
of their own bring the same people to the same places), `foretold` (nobody else works there, so what a diff on a settled
state says is what the sync after it does, number for number).

A cycle is one disturbed or settling run. Most of it is waiting (for jobs, and for back-off after faults), so --jobs worlds
go on side by side. Ends at the first difference, with the seed and kind that repeat it (moments of kills are the machine's,
so a seed repeats the plan, not the microsecond). Prints what was done as it goes.
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
import threading
import time
import urllib.request
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

KINDS = ["routed", "keyed", "staged", "twins", "foretold"]
PLACES = ["North", "South", "Shelf"]  # two campaigns and a list
CAMPAIGNS = {"North", "South"}
FAULTS = ["drop-before", "drop-after", "500", "500-after", "503", "429", "truncate", "garbage"]
ROUTES = ["POST /leads/add", "POST /leads/move", "DELETE /leads", "PATCH /leads/*", "POST /leads/list",
          "GET /background-jobs"]
JOBS = ["fail", "cancel", "vanish", "pause", "draining", "zero", "partial", "unknown-status"]
SETTLING_RUNS = 12
REMOVED = {"keep": "keep", "delete": "delete", "move": "{move_to: {list: Gone}}"}
ROUTE = "route: {column: place, cases: {north: {campaign: North}, south: {campaign: South}, shelf: {list: Shelf}}}"
STAGE = "target: {campaign: North}\nstage: {list: Shelf, promote: {campaign: North}, only: valid}"
MAPPING = """version: 1
name: {name}
source: {{csv: {{path: people.csv}}}}
{way}
{lines}
fields: {{email: email, first_name: first}}
custom_variables: {{seats: seats}}
dedupe: {dedupe}
contacted: move
guards: {{removed: none, moved: none, rejected: none, empty_source: stop, source_shrank: none}}
limits: {{batch: {batch}, requests_per_second: 0, requests_per_minute: 0, settle: 60ms, job_wait: 2s}}
"""
stop = threading.Event()


class Difference(Exception):
    """What the table says is not what is there."""


class Stopped(Exception):
    """Another world found something."""


def is_roomy(folder):
    """In containers it may be a few megabytes."""
    if not os.access(folder, os.W_OK):
        return False
    at = os.statvfs(folder)
    return at.f_bavail * at.f_frsize > 1 << 30


class World:
    def __init__(self, program, seed, kind, keep):
        self.program, self.seed, self.kind, self.keep = os.path.abspath(program), seed, kind, keep
        self.random = random.Random(f"{seed} {kind}")
        # Who is killed loses nothing that was written; the disk's part is deaths.py's. So memory will do.
        memory = "/dev/shm" if "TMPDIR" not in os.environ and is_roomy("/dev/shm") else None
        self.folder = tempfile.mkdtemp(prefix="leadsync-soak-", dir=memory)
        self.table = {}     # id: row
        self.gone = {}      # id: row, as it was last
        self.names = {}     # id: the addresses that it had before
        self.left = set()   # addresses that no row has any more
        self.marked = {}    # address of who unsubscribed, bounced or was skipped: was its row there ever since?
        self.doubtful = set()  # ids of such people who came under another address: they may be there or not
        self.deleted = set()  # whom somebody deleted by hand: nobody brings them back, unless it was done amid a run
        self.forgotten = set()  # such people of two syncs: a move by the one makes Instantly forget it, unseen by the other
        self.next_person = 0
        self.cycles = 0
        self.policy = "keep" if kind == "twins" else self.random.choice(list(REMOVED))
        self.then = None if kind == "twins" else self.random.choice(list(REMOVED))  # with the lead of who opted out
        self.syncs = ["soak.yaml"] + (["twin.yaml"] if kind == "twins" else [])
        self.start()

    # ---- the two programs ----

    def start(self):
        env = {"PATH": os.environ["PATH"], "HOME": self.folder, "XDG_STATE_HOME": self.folder + "/state",
               "LC_ALL": "C.UTF-8", "INSTANTLY_API_KEY": "soak"}
        env.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_"))})
        self.env = env
        self.sandbox = subprocess.Popen(
            [self.program, "sandbox", "--rate", "0", "--latency", str(self.random.choice([0, 1, 3])), "--job-time",
             str(self.random.choice([0, 5, 40])), "--campaign", "North", "--campaign", "South", "--list", "Shelf",
             "--list", "Gone"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, cwd=self.folder, text=True)
        self.url = self.sandbox.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("the sandbox did not start")
        env["INSTANTLY_API_URL"] = self.url
        self.control(verify_ms=self.random.choice([0, 20, 150]))
        lines = f"mode: mirror\nremoved: {REMOVED[self.policy]}" + ("\nkey: [id]" if self.kind == "keyed" else "")
        if self.then:
            lines += f"\nskip_when: [{{column: out, in: ['1'], then: {REMOVED[self.then]}}}]"
        lines += f"\nstate: {{values: {self.random.choice(['kept', 'hashed'])}}}"
        batch = self.random.choice([1, 7, 25, 1000])
        dedupe = self.random.choice(["workspace", "any-campaign", "any-list", "target-only"])
        way = STAGE if self.kind == "staged" else ROUTE
        for name, more in (("soak", lines), ("twin", "mode: upsert")):
            with open(f"{self.folder}/{name}.yaml", "w", encoding="utf-8") as f:
                f.write(MAPPING.format(name=name, way=way, lines=more, batch=batch, dedupe=dedupe))

    def stop(self, failed):
        self.sandbox.kill()
        self.sandbox.wait()
        self.sandbox.stdout.close()
        if failed or self.keep:
            print(f"kept: {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder)

    def control(self, **what):
        request = urllib.request.Request(self.url + "/__control", json.dumps(what).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            answer.read()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=600) as answer:
            return json.load(answer)

    def leadsync(self, command, sync, *words):
        """Its output is in files named after the sync."""
        with open(f"{self.folder}/{sync}.out", "w", encoding="utf-8") as out, \
                open(f"{self.folder}/{sync}.err", "w", encoding="utf-8") as err:
            return subprocess.Popen([self.program, command, sync, *words], env=self.env, cwd=self.folder,
                                    stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def end_of(self, run, seconds):
        try:
            return run.wait(seconds)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            raise Difference(f"{run.args[1:3]} did not end in {seconds} s: {self.said(run.args[2])}") from None

    def said(self, sync):
        text = ""
        for kind in ("err", "out"):
            with open(f"{self.folder}/{sync}.{kind}", encoding="utf-8") as f:
                text += f.read()[-1500:]
        return text

    # ---- the table ----

    def new_row(self):
        r = self.random
        self.next_person += 1
        n = self.next_person
        row = {"email": f"p{n}@example.com", "first": f"F{n}", "seats": str(r.randrange(100)), "place": r.choice(PLACES),
               "out": ""}
        if self.kind == "staged":
            row["place"] = "North"
            if r.randrange(6) == 0:
                row["email"] = f"p{n}.{r.choice(['invalid', 'risky'])}@example.com"
        if self.kind == "keyed" and row["place"] == "Shelf" and r.randrange(3) == 0:
            row["email"] = ""
        elif self.kind not in ("staged", "foretold") and r.randrange(10) == 0:
            self.is_there_by_hand(row)
        self.table[str(n)] = row

    def change_row(self, ident, row):
        r = self.random
        what = "place" if row["email"] in self.marked and r.randrange(2) else \
            r.choice(["place", "first", "seats", "address"])
        if what == "place" and self.kind != "staged" and row["email"]:
            self.change_place(row)
        elif what == "address" and self.kind == "keyed":
            old, version = row["email"], r.randrange(3)
            row["email"] = f"p{ident}v{version}@example.com"
            self.names.setdefault(ident, set()).add(old or f"key {ident}")
            if old in self.marked:
                self.doubtful.add(ident)
            self.leaves(old or f"key {ident}")
        elif what == "first":
            row["first"] = f"F{r.randrange(1000)}"
        elif what == "seats":
            row["seats"] = str(r.randrange(1000))
        if self.then and r.randrange(6) == 0:
            self.opt_out_or_in(ident, row)

    def opt_out_or_in(self, ident, row):
        row["out"] = "" if row["out"] else "1"
        if row["out"] and self.then != "keep":
            self.leaves(self.name(ident, row))

    def change_place(self, row):
        row["place"] = self.random.choice(PLACES)
        if self.kind == "twins" and row["email"] in self.marked:
            self.forgotten.add(row["email"])

    def leaves(self, name):
        self.left.add(name)
        if name in self.marked:
            self.marked[name] = False

    def change_table(self):
        r = self.random
        known = sorted(self.table)
        marked = [ident for ident in known if self.name(ident, self.table[ident]) in self.marked]
        # Who must not be written to any more is asked to change sides far more often than others.
        for ident in r.sample(known, len(known) // 8) + r.sample(marked, len(marked) // 2):
            self.change_row(ident, self.table[ident])
        for ident in r.sample(known, len(known) // 10):
            self.gone[ident] = self.table.pop(ident)
            self.leaves(self.name(ident, self.gone[ident]))
        for ident in r.sample(sorted(self.gone), len(self.gone) // 3):
            row = self.table[ident] = self.gone.pop(ident)
            if r.randrange(2) and self.kind != "staged" and row["email"]:
                self.change_place(row)
        for _ in range(r.choice([5, 20, 60])):
            self.new_row()
        rows = list(self.table.items())
        r.shuffle(rows)
        with open(self.folder + "/people.csv", "w", encoding="utf-8") as f:
            f.write("id,email,first,seats,place,out\n")
            f.writelines(f"{i},{v['email']},{v['first']},{v['seats']},{v['place'].lower()},{v['out']}\n" for i, v in rows)

    def mark_people(self):
        """Some of those in campaigns unsubscribe, bounce, or are skipped."""
        if self.kind == "foretold":
            return
        inside = sorted(name for name, have in self.there().items() if have[0][0] in CAMPAIGNS)
        rows = {self.name(ident, row) for ident, row in self.table.items()}
        for name in self.random.sample(inside, len(inside) // 10):
            self.control(status={name: self.random.choice([-1, -2, -3])})
            self.marked[name] = name in rows

    def delete_people(self):
        """Somebody works in the workspace, too."""
        names = self.random.sample(there := sorted(self.there()), min(len(there), 3))
        self.control(delete=names)
        self.deleted.update(names)

    def is_there_by_hand(self, row):
        """Somebody has uploaded the person before the row came."""
        self.control(add={"to": row["place"], "leads": [{"email": row["email"], "first_name": "By hand"}]})

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
            self.interrupt(run, r.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, None]),
                           r.uniform(0, r.choice([0.05, 0.2, 0.4])), plan)
        self.control(faults="", jobs="ok")
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
        """A sync that nobody disturbs. Is all work over?"""
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
        for _ in range(SETTLING_RUNS):
            # Both of two: what one of them did last may be news for the other.
            if all([self.plain(sync) for sync in self.syncs]):
                return
        raise Difference(f"{SETTLING_RUNS} plain syncs do not come to an end: {self.said(self.syncs[0])}")

    # ---- what is there, and what should be ----

    @staticmethod
    def name(ident, row):
        return row["email"] or f"key {ident}"

    def there(self):
        state = self.get("/__state")
        names = {p["id"]: p["name"] for p in state["campaigns"] + state["lists"]}
        leads = {}
        for lead in state["leads"]:
            payload = lead.get("payload") or {}
            place = names.get(lead.get("campaign") or lead.get("list_id"))
            name = lead.get("email") or f"key {payload.get('leadsync_key')}"
            leads.setdefault(name, []).append((place, payload.get("firstName"), payload.get("seats"), lead["status"]))
        return leads

    def judge(self, name, have, row):
        """What is wrong with those of this name, or None; row: of the table, or None."""
        places = [place for place, *_ in have]
        if len(have) > 1:
            return "is there twice"
        if name in self.marked:
            # With whom somebody deleted while the row was away, what they wanted is gone, too, unseen.
            unseen = name in self.forgotten or (name in self.deleted and not self.marked[name])
            if places and places[0] in CAMPAIGNS and have[0][3] >= 0 and not unseen:
                return "was made active again"
            return None if have or not self.marked[name] or name in self.deleted else "is lost"
        if name in self.deleted:
            return None
        if row is not None and row["out"]:
            # Its row may have been gone before.
            away = [[]] + [["Gone"]] * ("move" in (self.policy, self.then))
            return None if self.then == "keep" or places in away else "has opted out"
        if row is None:
            if name not in self.left:
                return "is nobody's"
            if any(name in names and self.table[ident]["out"] for ident, names in self.names.items() if ident in self.table):
                return None  # it stays under its old address until it is wanted again
            if name.split("@")[0].endswith(("invalid", "risky")) and places == ["North"]:
                return "is not valid"
            # It may have come and gone between two runs, and values of what is gone are not kept up.
            away = [[]] + [["Gone"]] * ("move" in (self.policy, self.then))
            return "is gone" if self.policy != "keep" and places not in away else None
        if ".invalid@" in name or ".risky@" in name:
            # Once removed and come back it is refused as before, wherever it went: nobody verifies it twice.
            return None if places == ["Shelf"] or (name in self.left and places in ([], ["Gone"])) else "is not valid"
        want = (row["place"], row["first"], row["seats"])
        return None if [lead[:3] for lead in have] == [want] else f"should be {want}"

    def compare(self):
        there = self.there()
        rows = {self.name(ident, row): (ident, row) for ident, row in self.table.items()}
        doubtful = {self.name(ident, row) for ident in self.doubtful for row in [self.table.get(ident) or self.gone.get(ident)]}
        for name in sorted(set(there) | set(rows)):
            have, row = there.get(name, []), rows.get(name, (None, None))[1]
            wrong = self.judge(name, have, row)
            if wrong and (name not in doubtful or len(have) > 1):
                raise Difference(f"{name} {wrong}: {have}, row {row}, policy {self.policy}")

    def night(self):
        self.mark_people()
        self.change_table()
        if self.kind == "foretold":
            self.foretold()
            self.compare()
            self.change_table()
        for _ in range(self.random.randrange(0, 10)):
            if stop.is_set():
                raise Stopped
            self.disturb()
            if self.kind not in ("keyed", "foretold") and self.random.randrange(20) == 0:
                self.delete_people()
        self.settle()
        self.compare()
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
        return f"{world.cycles} cycles, {len(world.table)} rows, removed: {world.policy}", world.cycles, True
    except Stopped:
        failed = False
        return "stopped", world.cycles, True
    except Difference as difference:
        stop.set()
        return f"{difference}", world.cycles, False
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
