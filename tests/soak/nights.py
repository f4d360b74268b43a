#!/usr/bin/env python3
"""Nights over a PostgreSQL table with a watermark column, and whether Instantly has what the table says at the end of each.

A world is a table, a mapping and a sandbox made from a seed. In its nights the table changes, also while it is read, and
the nightly sync meets what an operator's weeks bring:

  calm       nothing
  disturbed  runs are killed, interrupted, cut off from the database, answered by faults
  outage     the plan is full, or the API answers 503, 429 or 403, or cannot be reached, or stores no update, for up to
             eight days of runs
  wrong      somebody edits the mapping (other columns, no skip_when:, no filter, another target, key, watermark or mode),
             starts it, stops it half-way or not, and corrects it
  retyped    the watermark column gets another type
  edited     overlap: or key: is changed for good, or the leads are exported and imported again

After a run that ends in 0, and after at most 12 plain runs of a night, every row has its lead with the values of the right
mapping. People who opt out are not created, people who unsubscribed are not made active, and leads of rows that are gone
are removed only if the mapping says so. Rows whose column is NULL and rows that are gone may wait for a full read, and for
nothing else. A run with a row whose lead is still another key's does not end in 0. A run that reads in full has a reason to.

  nights.py --program ./leadsync --url "host=… dbname=postgres user=postgres" [--psql psql] [--seed 1] [--worlds 1000]
            [--nights 7] [--total N] [--jobs 2] [--event wrong] [--keep]

`url` is a superuser's, because the worlds make schemas and a role. Ends at the first difference, with the seed that repeats
the plan (not the microsecond of a kill).
"""
import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from people_table import AGES, TYPES, Database, PeopleTable  # noqa: E402
from workspace import Difference, Stopped, Workspace  # noqa: E402

EVENTS = ["calm", "disturbed", "disturbed", "outage", "outage", "wrong", "wrong", "retyped", "edited"]
FAULTS = ["drop-before", "drop-after", "500", "500-after", "503", "429", "truncate", "garbage"]
ROUTES = ["POST /leads/add", "POST /leads/move", "DELETE /leads", "PATCH /leads/*", "POST /leads/list"]
OUTAGES = ["plan", "plan", "POST /leads/add:503=100%", "* *:500=100%", "POST /leads/add:403=100%", "POST /leads/add:429=100%",
           "PATCH /leads/{id}:500=100%", "PATCH /leads/{id}:patch-ignored=100%", "POST /leads/add:410=100%",
           "POST /leads/list:503=100%", "DELETE /leads:503=100%", "scopes", "refused"]
MEANT = (0, 1, 66, 69, 77, 130, 143, -2, -9)
SETTLING_RUNS = 12
PAUSE_MS = 4000  # a lead that is older is none of the run's own
STATE = "/state/leadsync/week.sandbox.db"
REMOVED = {"keep": "keep", "delete": "delete", "move": "{move_to: {list: Gone}, if_there: delete}"}
MAPPING = """version: 1
name: week
source:
  postgres:
    url: "{url}"
    query: select * from {schema}.people where {where} and {watermark} {compare} :watermark order by id
    watermark: {watermark}
    full_every: {full_every}
{lines}
target: {{campaign: {target}}}
dedupe: {dedupe}
contacted: move
guards: {{removed: none, moved: none, changed: none, rejected: none, empty_source: stop, source_shrank: none}}
limits: {{requests_per_second: 0, requests_per_minute: 0, settle: 60ms, job_wait: 2s, batch: {batch}, in_flight: 2}}
fields: {{email: email, first_name: {first}}}
custom_variables: {{seats: {{from: {seats}, type: {seats_type}, empty: clear}}}}
"""
stop = threading.Event()


class World(Workspace):
    def __init__(self, options, seed):
        self.seed, self.options = seed, options
        self.random = r = random.Random(seed)
        super().__init__(options.program, "--latency", str(r.choice([0, 0, 2])), "--job-time", "5", "--campaign", "Main",
                         "--campaign", "Other", "--list", "Gone", "--unknown-keys", "refuse", keep=options.keep)
        mirror = r.randrange(2) == 0
        policy, then = r.choice(list(REMOVED)) if mirror else "keep", r.choice(list(REMOVED))
        key = r.choice([None, None, "record"])
        nullable = r.randrange(3) > 0
        self.mapping = {
            "first": "name", "seats": "seats", "seats_type": "number", "where": "not hidden", "watermark": "updated_at",
            "target": "Main", "mode": "mirror" if mirror else "upsert", "policy": policy, "then": then, "key": key,
            "overlap": "10m", "compare": ">=", "batch": r.choice([1, 7, 40, 1000]), "full_every": r.choice(["2d", "3d", "never"]),
            "full_query": nullable or r.randrange(2) == 0,
            "dedupe": "target-only" if key and "move" in (policy, then) else r.choice(["workspace", "target-only"]),
            "values": r.choice(["kept", "kept", "hashed"]),
        }
        self.sql = Database(options.psql, options.url)
        self.table = PeopleTable(self.sql, f"week{seed}", r, key is not None, nullable, mirror)
        self.keys_mixed = False  # the next full read is the first one by this key, in which nobody counts as gone
        self.tainted = set()  # addresses that no row wants, and that a wrong mapping may have brought
        self.full_due, self.full_ms = "it is the first", 0  # why the next read has to be full; when the last one was
        self.imported = self.had_keys = False  # leads got new ids; keys changed
        self.runs = self.done = 0
        self.log = []

    def end(self, failed):
        self.sql.close()
        self.stop(failed)

    # ---- the mapping, the days ----

    def write_mapping(self, **changes):
        m = dict(self.mapping, **changes)
        lines = [f"    overlap: {m['overlap']}"] if m["overlap"] else []
        if m["full_query"]:
            lines.append(f"    full_query: select * from {self.table.schema}.people where {m['where']} order by id")
        lines.append(f"mode: {m['mode']}")
        if m["mode"] == "mirror":
            lines.append(f"removed: {REMOVED[m['policy']]}")
        if m["then"]:
            lines.append(f"skip_when: [{{column: out, in: ['yes'], then: {REMOVED[m['then']]}}}]")
        if m["key"]:
            lines.append(f"key: [{m['key']}]")
        lines.append(f"state: {{values: {m['values']}}}")
        url = self.options.url.replace("user=postgres", "user=reader")
        with open(self.folder + "/week.yaml", "w", encoding="utf-8") as f:
            f.write(MAPPING.format(url=url, schema=self.table.schema, lines="\n".join(lines), **m))

    def in_state(self, text):
        """The rows of a query; none before there is a state."""
        if not os.path.exists(self.folder + STATE):
            return []
        db = sqlite3.connect(self.folder + STATE)
        try:
            return list(db.execute(text))
        finally:
            db.close()

    def settings(self):
        return dict(self.in_state("select name, value from settings"))

    def runs_on_record(self):
        return len(self.in_state("select id from runs where read <> ''"))

    def a_day_later(self):
        """Whatever has a time is a day older, here and there."""
        self.table.a_day_later()
        settings = self.settings()
        if "watermark" not in settings:
            return
        kind = {"timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp"}.get(
            settings["watermark_type"], settings["watermark_type"])
        db = sqlite3.connect(self.folder + STATE)
        db.execute("update settings set value = ? where name = 'watermark'",
                   [self.table.day_before(settings["watermark"], kind)])
        db.execute("update settings set value = value - 86400000 where name in ('watermark_ms', 'last_full_ms')")
        db.commit()
        db.close()
        self.full_ms = self.settings()["last_full_ms"]

    # ---- one run ----

    def incident(self, run, kind):
        """Something happens to it."""
        r = self.random
        if r.randrange(2):
            time.sleep(r.uniform(0, 0.05))
            self.table.changes(0.3)
        if kind in ("KILL", "INT"):
            time.sleep(r.uniform(0, r.choice([0.02, 0.1, 0.2])))
            run.send_signal(signal.SIGKILL if kind == "KILL" else signal.SIGINT)
        elif kind == "cut":
            self.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'leadsync' and "
                     f"query like '%{self.table.schema}.%' and pid <> pg_backend_pid()")

    def sync(self, kind="", words=(), is_right=True, meant=MEANT, reads_right=None, **env):
        """A run, judged by what its exit status says. Returns the report, or None without one. `reads_right`: the run makes the
        same of a row as the right mapping does, though it may remove other leads."""
        if stop.is_set():
            raise Stopped
        self.table.forget_touched()
        before = self.table.waiting()
        run = self.leadsync("sync", "week.yaml", "-q", "--rejects-ok", "--format", "json", *words, **env)
        if kind:
            self.incident(run, kind)
        code = self.end_of(run, 120)
        self.runs += 1
        report = None
        with open(f"{self.folder}/week.yaml.out", encoding="utf-8") as f:
            text = f.read()
        if text:
            report = json.loads(text)
        read = report["read"] if report else ""
        self.log.append(f"{kind or 'sync'} {' '.join(words)} {read} {code} {report and report['reasons']}")
        if code not in meant:
            raise Difference(f"exit status {code}: {self.said('week.yaml')}")
        full_ms = self.settings().get("last_full_ms", 0)
        is_whole, self.full_ms = full_ms != self.full_ms, full_ms
        if is_right if reads_right is None else reads_right:
            if read == "incremental" and self.full_due:
                raise Difference(f"the read is not full, and {self.full_due}")
            if is_whole:
                self.table.was_read_in_full(before, self.keys_mixed)
                self.full_due, self.keys_mixed = "", False
            if code == 0:
                self.table.was_read(before)
        if is_right and code == 0:
            self.compare(self.table.touched)
        self.check_status(code, report)
        return code, report

    def check_status(self, code, report):
        """What is left over is in the status, too."""
        out = self.leadsync("status", "week.yaml", "--format", "json")
        if self.end_of(out, 60) != 0:
            if code in (-9, -2, 130, 66, 69, 77):
                return  # a state that was never made
            raise Difference(f"status fails: {self.said('week.yaml')}")
        with open(f"{self.folder}/week.yaml.out", encoding="utf-8") as f:
            status = json.load(f)
        left = status["waiting"] + status["given_up"] + status["removals_waiting"] + len(status["open"]) + status["unmerged"]
        # After a full read, a row that is given up has no row in the source.
        over = report["reasons"].get("attempts_exhausted", 0) if report and report["read"] == "full" else 0
        if report and report["rows"]["failed"] + report["rows"]["deferred"] > over and left == 0:
            raise Difference(f"rows are left over, and status does not say so: {report['rows']} {status}")
        # A row that lost its address to another one may still wait under its own key.
        if code == 0 and left > report["reasons"].get("duplicate_in_source", 0):
            raise Difference(f"the run ends in 0, and status says {status}")
        if status["given_up"]:
            self.full_due = "rows were given up"

    def compare(self, leave_out=()):
        self.table.compare(self.there(), self.mapping["policy"], self.mapping["then"], self.tainted, leave_out)

    # ---- nights ----

    def faults(self):
        r = self.random
        kind = r.choice(FAULTS)
        return f"{r.choice(ROUTES)}:{kind}={3 if kind == '429' else r.choice([5, 20, 50])}%"

    def disturb(self, is_right=True, reads_right=None):
        r = self.random
        kind = r.choice(["KILL", "INT", "cut", "faults", "faults", "time", "amid"])
        if kind == "faults":
            self.control(faults=";".join(self.faults() for _ in range(r.randrange(1, 3))))
        self.control(latency_ms=r.choice([0, 5, 30]))
        words = ("--max-seconds", "1") if kind == "time" else ()
        if kind == "time":
            self.control(latency_ms=r.choice([60, 200]))
        self.sync(kind, words, is_right, reads_right=reads_right)
        self.control(latency_ms=0, faults="")

    def disturbed(self):
        for _ in range(self.random.randrange(1, 4)):
            self.disturb()
            self.table.changes(0.5)
            if self.random.randrange(4) == 0:
                run = self.leadsync("resume", "week.yaml", "-q")
                if self.end_of(run, 120) not in (0, 1, 69, 73):
                    raise Difference(f"resume fails: {self.said('week.yaml')}")

    def outage(self):
        r = self.random
        what, days = r.choice(OUTAGES), r.choice([1, 2, 6, 8])
        self.log.append(f"outage {what}, {days} days")
        words, env = [], {}
        for _ in range(days):
            if what == "plan":
                self.control(plan_limit=len([1 for leads in self.there().values() for _ in leads]) + r.randrange(3),
                             plan_partial=r.randrange(2) == 0)
            elif what == "scopes":
                self.control(scopes="leads:read,campaigns:read,lead_lists:read")
            elif what == "refused":
                env = {"INSTANTLY_API_URL": "http://127.0.0.1:9"}
            else:
                self.control(faults=what)
            if what.startswith(("* *", "POST /leads/list")) or "429" in what or env:
                words = ["--max-seconds", "1"]
            self.sync(r.choice(["", "", "amid"]), words, **env)
            if r.randrange(3):
                self.a_day_later()
            self.table.changes(0.3)
        self.control(plan_limit=-1, faults="", scopes=None)

    def wrong_mapping(self):
        r = self.random
        m = self.mapping
        variants = [{"first": "company"}, {"seats": "record"}, {"seats": "company", "seats_type": "string"}, {"then": None},
                    {"then": "keep"}, {"target": "Other"}, {"where": "true"}, {"where": "not hidden and id % 2 = 0"},
                    {"watermark": "created_at", "overlap": "10m"}, {"mode": "mirror", "policy": "delete", "full_query": True},
                    {"key": None if m["key"] else "record"}, {"key": "id"}]
        wrong = {}
        for variant in r.sample([v for v in variants if any(m[name] != v[name] for name in v)], r.choice([1, 1, 2])):
            wrong.update(variant)
        # Its new lead cannot go where the row had another lead under the same address before.
        if m["key"]:
            wrong.pop("target", None)
        # By another key the leads of a target are found by their addresses: not with new ids, and in no other target.
        # Hashed values do not say whose address opts out under which key.
        if self.imported or "target" in wrong or m["values"] == "hashed":
            wrong.pop("key", None)
        return wrong or {"first": "company"}

    def wrong(self):
        r = self.random
        m, wrong = self.mapping, self.wrong_mapping()
        self.log.append(f"wrong {wrong}")
        # Who is removed is decided in full reads alone.
        reads_right = all(m[name] == wrong[name] for name in set(wrong) - {"mode", "policy", "overlap"})
        for _ in range(r.choice([1, 1, 2])):
            self.write_mapping(**wrong)
            self.taint(wrong)
            runs = self.runs_on_record()
            if r.randrange(4):
                self.disturb(is_right=False, reads_right=reads_right)
            else:
                self.sync(is_right=False, reads_right=reads_right)
            self.taint(wrong)
            if self.runs_on_record() > runs and not reads_right:
                self.full_due = "another mapping ran"
                self.keys_mixed |= "key" in wrong
                self.had_keys = self.table.had_keys = self.had_keys or "key" in wrong
            self.table.changes(0.3)
            if r.randrange(3) == 0:
                self.write_mapping()
                self.disturb()
        self.write_mapping()

    def taint(self, wrong):
        if {"where", "then", "key", "first", "mode"} & set(wrong):
            self.tainted |= {row.email for row in self.table.rows.values() if not row.wants()}
        if "key" in wrong and wrong["key"] is None:
            # To a mapping without key: another address is another person.
            self.table.forbidden -= {row.email for row in self.table.rows.values()}

    def retyped(self):
        self.table.retype(self.random.choice([name for name in TYPES if name != self.table.type]))
        self.full_due = "the column has another type"
        self.log.append(f"retyped {self.table.type}")
        self.change_overlap()

    def change_overlap(self):
        self.mapping["overlap"] = self.random.choice(TYPES[self.table.type][2])
        self.table.overlap = AGES[self.mapping["overlap"] or "0"]
        self.log.append(f"overlap {self.mapping['overlap']}")
        self.write_mapping()

    def edited(self):
        r = self.random
        what = r.choice(["overlap", "imported", "imported", "key"])
        if what == "imported" and self.had_keys or what == "key" and (self.imported or self.mapping["values"] == "hashed"):
            what = "overlap"
        if what == "overlap":
            self.change_overlap()
        elif what == "imported":
            self.log.append("imported again")
            self.imported = True
            self.control(ids_changed=["Main"])
            self.control(advance_ms=PAUSE_MS)
        elif self.mapping["key"]:
            self.mapping["key"] = self.table.key = "id" if self.mapping["key"] == "record" else "record"
            self.log.append(f"key {self.mapping['key']}")
            self.full_due, self.keys_mixed, self.had_keys = "the key is another one", True, True
            self.write_mapping()

    def mark_people(self):
        inside = sorted(email for email, have in self.there().items() if have[0][0] == "Main")
        for email in self.random.sample(inside, len(inside) // 12):
            self.control(status={email: self.random.choice([-1, -2, -3])})
            self.table.unsubscribes(email)

    def settle(self):
        for _ in range(SETTLING_RUNS):
            code, report = self.sync(words=() if self.random.randrange(12) else ("--full",), meant=(0, 1))
            if code == 0:
                break
        else:
            raise Difference(f"{SETTLING_RUNS} plain syncs do not end in 0: {self.said('week.yaml')}")
        self.compare()
        self.control(reset=True)
        # A row that waits to take its lead over asks whether that is still another row's.
        waits = "duplicate_in_source" in report["reasons"] or any(row.takes_over for row in self.table.rows.values())
        # A row that was skipped for its person's status took its lead over without its values.
        waits = waits or (self.had_keys and bool(self.table.doubtful))
        _, report = self.sync(meant=(0,))
        writes = [q for q in self.get("/__requests")["requests"]
                  if q["method"] != "GET" and not q["path"].endswith("/leads/list")]
        if writes and report["read"] != "full" and not waits:
            raise Difference(f"a sync with nothing to do wrote: {writes[:3]}")

    def is_due(self):
        every = self.mapping["full_every"]
        last = int(self.settings().get("last_full_ms", 0))
        return every != "never" and time.time() * 1000 - last >= int(every[:-1]) * 86400000

    def night(self):
        event = self.options.event or self.random.choice(EVENTS)
        self.log = self.log[-30:] + [f"night {self.done}: {event}"]
        self.write_mapping()
        self.mark_people()
        self.table.changes()
        if event == "calm":
            full = bool(self.full_due) or self.is_due()
            _, report = self.sync(meant=(0, 1))
            if (report["read"] == "full") != full:
                raise Difference(f"the read is {report['read']}, {self.full_due or 'and there is no reason to read all'}")
        else:
            getattr(self, event)()
        self.table.changes(0.5)
        self.settle()
        if self.random.randrange(3) == 0 and self.end_of(self.leadsync("status", "week.yaml", "--audit"), 60) != 0:
            raise Difference(f"the audit: {self.said('week.yaml')}")
        self.a_day_later()
        self.done += 1


def live(options, seed):
    """One world: what to say of it, its nights and runs, and whether all is well."""
    world = World(options, seed)
    failed = True
    try:
        for _ in range(options.nights):
            world.night()
        failed = False
        return f"{world.done} nights, {world.runs} runs, {len(world.table.rows)} rows", world.done, True
    except Stopped:
        failed = False
        return "stopped", world.done, True
    except Difference as difference:
        stop.set()
        return f"{difference}\n  {world.mapping}\n  " + "\n  ".join(world.log), world.done, False
    finally:
        world.end(failed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--psql", default="psql")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--worlds", type=int, default=1 << 30)
    parser.add_argument("--nights", type=int, default=5, help="of a world")
    parser.add_argument("--total", type=int, default=1 << 30, help="nights of all worlds, and those begun")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--event", choices=sorted(set(EVENTS)))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    database = Database(options.psql, options.url)
    if not database("select 1 from pg_roles where rolname = 'reader'"):
        database("create role reader login")
    database.close()
    nights, seed, well, going = 0, options.seed, True, {}
    with ThreadPoolExecutor(options.jobs) as pool:
        while True:
            while len(going) < options.jobs and nights + options.nights * len(going) < options.total and \
                    seed < options.seed + options.worlds and not stop.is_set():
                going[pool.submit(live, options, seed)] = seed
                seed += 1
            if not going:
                break
            for done in wait(going, return_when=FIRST_COMPLETED).done:
                number = going.pop(done)
                text, n, is_well = done.result()
                nights, well = nights + n, well and is_well
                print(f"seed {number}: {text}", flush=True)
    print(f"{nights} nights, seeds {options.seed} to {seed - 1}: {'every row has its lead' if well else 'FAILED'}")
    sys.exit(not well)


if __name__ == "__main__":
    main()
