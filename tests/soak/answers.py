#!/usr/bin/env python3
"""A night of creates, updates, moves and removals, with one kind of broken answer (tests/harness/hell.py), or one lie of
the sandbox (sync/sandbox/sandbox.h), for the first request, or for every request, of one endpoint. Whatever it is: the run ends with a status that is meant for it, it does not
follow a redirect with the key, and plain syncs against a server that is well again come to the same leads and the same
state as an undisturbed night.

  answers.py --program ./leadsync [--seed 1] [--sample N] [--jobs 2] [--only "add:half:once"] [--keep]
"""
import argparse
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from hell import HELL, Hell, ROUTES, SENSELESS  # noqa: E402
from lab import Difference, Lab, as_leads  # noqa: E402

# Left out is patch-ignored@echo, an answer that shows what was not stored: no client can tell it from the truth.
LIES = {
    "add": ["empty-created", "nameless-omitted", "uploaded-unlisted", "shifted-index", "shifted-index@created", "same-id",
            "same-id@stranger", "late-write@20", "late-hang@20"],
    "move": ["job-lies", "late-write@20", "late-hang@20"],
    "delete": ["delete-ignored", "late-write@20", "late-hang@20"],
    "patch": ["patch-ignored", "late-write@20", "late-hang@20"],
    "list": ["list-empty", "list-lag@20"],
}
ENDPOINTS = {"add": "POST /leads/add", "move": "POST /leads/move", "delete": "DELETE /leads", "patch": "PATCH /leads/{id}",
             "list": "POST /leads/list"}
MEANT = (0, 1, 69, 77, 78)  # 78: an answer whose names are unreadable has no campaign of that name
BUDGETS_S = (3, 30, 300)  # of a run under faults: the least in which this machine comes to the endpoint
RUNS = 3  # plain syncs until all is as it should be: a row that failed is failed in one run and well in the next


def lied(lab, route, lie, times, budget_s):
    """Was the endpoint asked?"""
    with lab.trial() as t:
        t.control(faults=f"{ENDPOINTS[route]}:{lie}={'#1' if times == 'once' else '100%'}", reset=True)
        code, _, err = t.sync("--max-seconds", str(budget_s))
        if code not in MEANT:
            raise Difference(f"the run ends in {code}: {err[-600:]}")
        was_told = any(q["fault"] == lie.split("@")[0] for q in t.get("/__requests")["requests"])
        t.control(faults="")
        t.settle(RUNS)
        t.settle()  # a row whose update was not proved is looked at once more
        t.check(parts=("leads", "table"))
        # Ids that belong to others show when every row has a new value.
        rows = [(ident, email, first + " later", *rest) for ident, email, first, *rest in t.rows]
        t.write_rows(rows)
        t.settle()
        if t.leads() != sorted(as_leads(rows)):
            raise Difference(f"after a change of every row: {[x for x in t.leads() if x not in as_leads(rows)][:4]}")
        return was_told


def trial(lab, route, fault, times, budget_s):
    """Was the endpoint asked?"""
    if fault in LIES.get(route, []):
        return lied(lab, route, fault, times, budget_s)
    with lab.trial() as t:
        with Hell(t.url, route, fault, last=1 if times == "once" else 1 << 30) as hell:
            code, _, err = t.sync("--max-seconds", str(budget_s), INSTANTLY_API_URL=hell.url)
            if code not in MEANT:
                raise Difference(f"the run ends in {code}: {err[-600:]}")
            if hell.trapped:
                raise Difference(f"a redirect was followed: {hell.trapped[0][:200]}")
            if "lab-key" in err:
                raise Difference("the key is in a message")
        t.settle(RUNS)
        t.check(parts=("leads", "table"))
        return hell.hit > 0


def disturbed(lab, route, fault, times):
    try:
        if any(trial(lab, route, fault, times, budget_s) for budget_s in BUDGETS_S):
            return None
        return "the endpoint was not asked"
    except Difference as difference:
        return str(difference)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    plan = [(route, fault, times) for route in ROUTES for fault in HELL for times in ("once", "always")
            if (route, fault) not in SENSELESS]
    plan += [(route, lie, times) for route in LIES for lie in LIES[route] for times in ("once", "always")]
    random.Random(options.seed).shuffle(plan)
    if options.sample:
        plan = plan[:options.sample]
    if options.only:
        plan = [tuple(options.only.split(":"))]
    wrong = 0
    with Lab(options.program, keep=options.keep) as lab, ThreadPoolExecutor(options.jobs) as pool:
        for trial, result in zip(plan, pool.map(lambda p: disturbed(lab, *p), plan)):
            if result is not None:
                wrong += 1
                print(f"{':'.join(trial)}: {result}", flush=True)
    print(f"{len(plan)} nights, seed {options.seed}: {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
