"""A world that can be had again and again: a sandbox with leads and a state that knows them, and a night in which rows are
created, changed, moved, changed and moved, and removed, get another address, opt out and are tried again, all at once.

An undisturbed run of that night says what every disturbed one must come to: the same leads, the same rows in the table of
the state, the same outcome of every row (in whichever run), an audit without a finding, and a run with nothing to do.
"""
import csv
import glob
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import urllib.request

MAPPING = """version: 1
name: lab
source: {csv: {path: people.csv}}
route: {column: place, cases: {north: {campaign: North}, south: {campaign: South}, shelf: {list: Shelf}}}
mode: mirror
removed: delete
key: [id]
fields: {email: email, first_name: first}
custom_variables: {seats: seats}
contacted: move
guards: {removed: none, moved: none, changed: none, rejected: none, empty_source: stop, source_shrank: none}
limits: {batch: BATCH, requests_per_second: 0, requests_per_minute: 0, settle: SETTLE, job_wait: 60s}
"""
OPT_OUT = "skip_when: [{column: out, in: ['1'], then: delete}]\n"
WAIT_N = 3  # rows that wait since the night before
PLACES = ("north", "south", "shelf")
PATIENCE_S = 300  # before a program is said to hang, however busy the machine


class Difference(Exception):
    """What is there is not what must be."""


def first_night(n):
    return [(str(i), f"p{i}@lab.example", f"F{i}", str(i), PLACES[i % 3]) for i in range(1, n + 1)]


def second_night(n):
    """Of each dozen: one gone, two on another side (one of them changed, too), two changed, the rest as they were."""
    rows = []
    for ident, email, first, seats, place in first_night(n):
        kind = int(ident) % 12
        if kind == 5:
            continue
        if kind in (1, 2):
            place = PLACES[(PLACES.index(place) + 1) % 3]
        if kind in (2, 3):
            first += " the other"
        if kind == 4:
            seats += "000"
        rows.append((ident, email, first, seats, place))
    rows += [(f"n{i}", f"new{i}@lab.example", f"New {i}", str(i), PLACES[i % 3]) for i in range(1, n // 4 + 1)]
    rows.append(("odd", "no address", "Odd", "1", "north"))
    # In lists a lead needs no address.
    rows.append(("nobody", "", "Nobody", "2", "shelf"))
    return rows


def third_night(n):
    """The second, and besides: of each dozen two with another address, one of them changed, and one that has opted out."""
    for row in second_night(n):
        ident, email, first, seats, place = row
        kind = int(ident) % 12 if ident.isdigit() else 0
        if kind in (6, 7):
            email = f"other{ident}@lab.example"
        if kind == 7:
            first += " elsewhere"
        yield ident, email, first, seats, place, "1" if kind == 8 else ""


def as_leads(rows):
    """What leads() must tell when these rows are there."""
    for ident, email, first, seats, place, *out in rows:
        if ident != "odd" and out != ["1"]:
            yield email or "None", place.capitalize(), first, json.dumps(seats)


def revive(old, path):
    """Makes the state of tests/cases/state/vN again, with its journal, at `path`: a copy as it was left by a leadsync of
    then. Of v1: the first night was done, in the second the plan was full (its rows wait), a third one was killed when
    creates and updates had left and their answers were lost. `store` is the sandbox's side of it."""
    for name, suffix in (("state", ""), ("journal", ".journal")):
        with open(f"{old}/{name}.sql", encoding="utf-8") as f:
            db = sqlite3.connect(path + suffix)
            db.executescript(f.read())
            db.close()
        os.chmod(path + suffix, 0o600)


class Trial:
    """One copy of the world. Use it as a context."""

    def __init__(self, lab, rows):
        self.lab = lab
        self.folder = tempfile.mkdtemp(prefix="trial-", dir=lab.folder)
        self.rows = rows
        self.sandbox = None
        self.before = 0 if lab.first else 1  # runs that came before the night
        self.env = dict(lab.env, HOME=self.folder, XDG_STATE_HOME=self.folder + "/state")

    def __enter__(self):
        if os.path.exists(self.lab.folder + "/base"):
            shutil.copytree(self.lab.folder + "/base", self.folder, dirs_exist_ok=True)
        self.write_rows(self.rows)
        with open(self.folder + "/lab.yaml", "w", encoding="utf-8") as f:
            f.write(self.lab.mapping)
        self.sandbox = subprocess.Popen(
            [self.lab.program, "sandbox", "--unknown-keys", "refuse", "--rate", "0", "--store", "store", "--job-time", "5",
             "--campaign", "North", "--campaign", "South", "--list", "Shelf"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=self.env, cwd=self.folder, text=True)
        self.url = self.sandbox.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("the sandbox did not start")
        self.env["INSTANTLY_API_URL"] = self.url
        return self

    def __exit__(self, kind, *_):
        self.sandbox.terminate()
        self.sandbox.wait()
        self.sandbox.stdout.close()
        if kind is None or not self.lab.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def write_rows(self, rows):
        with open(self.folder + "/people.csv", "w", encoding="utf-8") as f:
            f.write("id,email,first,seats,place,out\n")
            f.writelines(",".join((*row, "")[:6]) + "\n" for row in rows)

    # ---- leadsync and the sandbox ----

    def start(self, *words, name="", **env):
        """Begins a run whose end end_of() waits for; of two at a time one has a name."""
        with open(self.folder + "/out" + name, "w", encoding="utf-8") as out, \
                open(self.folder + "/err" + name, "w", encoding="utf-8") as err:
            return subprocess.Popen([self.lab.program, *words], env=dict(self.env, **env), cwd=self.folder,
                                    stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def end_of(self, program, seconds=PATIENCE_S, name=""):
        """(status, stdout, stderr)"""
        try:
            code = program.wait(seconds)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
            raise Difference(f"{program.args[1]} hung for {seconds} s") from None
        with open(self.folder + "/out" + name, encoding="utf-8") as out, \
                open(self.folder + "/err" + name, encoding="utf-8") as err:
            return code, out.read(), err.read()

    def run(self, *words, name="", **env):
        return self.end_of(self.start(*words, name=name, **env), name=name)

    def sync(self, *words, **env):
        return self.run("sync", "lab.yaml", "-q", "--format", "json", *words, **env)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def control(self, **what):
        request = urllib.request.Request(self.url + "/__control", json.dumps(what).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            answer.read()

    # ---- what is there ----

    def leads(self):
        state = self.get("/__state")
        names = {p["id"]: p["name"] for p in state["campaigns"] + state["lists"]}
        return sorted((str(lead.get("email")), names[lead.get("campaign") or lead.get("list_id")],
                       lead.get("first_name"), json.dumps(lead.get("payload", {}).get("seats"))) for lead in state["leads"])

    def table(self):
        db = sqlite3.connect(f"file:{self.folder}/state/leadsync/lab.sandbox.db?mode=ro", uri=True)
        try:
            rows = db.execute("SELECT hex(l.key), l.fingerprint, t.name, l.status, l.flags, v.lead_id IS NULL, v.who "
                              "FROM leads l JOIN targets t ON t.number = l.target JOIN lead_values v ON v.n = l.n "
                              "ORDER BY 1").fetchall()
            refused = db.execute("SELECT hex(key), fingerprint, reason FROM refusals ORDER BY 1").fetchall()
            return rows, refused, db.execute("SELECT count(*) FROM retries").fetchone()[0]
        finally:
            db.close()

    def outcomes(self, since):
        """Of every row that had one in a run after `since`: its last one."""
        last = {}
        for run in range(since + 1, since + 30):
            code, out, _ = self.run("results", "lab.yaml", "--run", str(run), "--format", "csv")
            if code != 0:
                break
            for row in csv.DictReader(out.splitlines()):
                name = row["key"] or f"line {row['line']}"
                if row["reason"] == "skip_when":
                    continue  # every run says so again; what it removes is told once
                if row["outcome"] == "removed":
                    last.pop(name, None)  # a removal that was left open says "deferred" first
                    name += " (removed)"
                last[name] = (row["outcome"], row["reason"])
        return last

    def end(self, since):
        return {"leads": self.leads(), "table": self.table(), "outcomes": self.outcomes(since)}

    def settle(self, runs=1):
        """Plain runs that must come to the end of all work; 1 is how the night ends with its one rejected row."""
        for _ in range(runs):
            code, out, err = self.sync()
            if code == 1 and json.loads(out)["rows"]["failed"] + json.loads(out)["rows"]["deferred"] == 0 and \
                    "still open" not in err:
                return
            if code not in (0, 1):
                break
        raise Difference(f"{runs} plain syncs end in {code}: {err[-600:]} {out[:800]}")

    def compare(self, parts):
        there = {"leads": self.leads, "table": self.table, "outcomes": lambda: self.outcomes(self.before)}
        for part in parts:
            have, want = there[part](), self.lab.wanted[part]
            if have == want:
                continue
            if isinstance(have, dict):
                have, want = sorted(have.items()), sorted(want.items())
            if isinstance(have, tuple):
                have, want = [x for y in have[:2] for x in y] + [have[2]], [x for y in want[:2] for x in y] + [want[2]]
            raise Difference(f"{part}: there {[x for x in have if x not in want][:4]}, "
                             f"wanted {[x for x in want if x not in have][:4]}, {len(have)} for {len(want)}")

    def check(self, parts=("leads", "table", "outcomes")):
        """Is everything as after the undisturbed night? Keys and fingerprints are hashed, and differ from one new state to
        the next. The table is so after one more run: a lead whose request may still be carried out is looked at twice."""
        self.compare([part for part in parts if part != "table"])
        code, out, err = self.run("status", "lab.yaml", "--audit")
        if code != 0:
            raise Difference(f"the audit ends in {code}: {out[-600:]}{err[-600:]}")
        self.control(reset=True)
        code, _, err = self.sync()
        if code != 1:
            raise Difference(f"a sync with nothing to do ends in {code}: {err[-600:]}")
        writes = [(q["method"], q["path"]) for q in self.get("/__requests")["requests"]
                  if q["method"] != "GET" and not q["path"].endswith("/leads/list")]
        if writes:
            raise Difference(f"a sync with nothing to do wrote: {writes[:3]}")
        if "table" in parts and not self.lab.first:
            self.compare(["table"])


class Lab:
    """The world before the night, and what an undisturbed run of it comes to. Use it as a context."""

    def __init__(self, program, n=24, batch=4, settle="60ms", keep=False, first=False, old=None):
        self.program, self.keep, self.first, self.old = os.path.abspath(program), keep, first, old
        self.folder = tempfile.mkdtemp(prefix="leadsync-lab-")
        self.mapping = MAPPING.replace("BATCH", str(batch)).replace("SETTLE", settle)
        self.night = second_night(n)  # what an old state knows
        if not old:
            self.mapping += OPT_OUT
            self.night = list(third_night(n))
        self.n = n
        self.env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "INSTANTLY_API_KEY": "lab-key",
                    "LEADSYNC_ABORT": "1"}
        self.env.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_"))})
        self.wanted = None

    def __enter__(self):
        if self.old:
            os.makedirs(self.folder + "/base/state/leadsync")
            revive(self.old, self.folder + "/base/state/leadsync/lab.sandbox.db")
            shutil.copy(self.old + "/store", self.folder + "/base")
        elif not self.first:
            with Trial(self, first_night(self.n)) as t:
                self.keep_base(t)
        with self.trial() as t:
            t.settle()
            self.wanted = t.end(t.before)
            if self.wanted["leads"] != sorted(as_leads(self.night)):
                raise RuntimeError(f"the undisturbed night ends in {self.wanted['leads']}")
            t.check()
        return self

    def keep_base(self, t):
        t.control(plan_limit=self.n - WAIT_N)
        code, out, err = t.sync()
        if code != 1 or json.loads(out)["reasons"] != {"plan_full": WAIT_N}:
            raise RuntimeError(f"the first night ends in {code}: {err}")
        t.sandbox.terminate()
        t.sandbox.wait()
        os.mkdir(self.folder + "/base")
        shutil.copytree(t.folder + "/state", self.folder + "/base/state")
        for path in glob.glob(t.folder + "/store*"):
            shutil.copy(path, self.folder + "/base")

    def __exit__(self, kind, *_):
        if kind is None or not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"kept: {self.folder}", flush=True)

    def trial(self):
        return Trial(self, self.night)
