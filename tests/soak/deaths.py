#!/usr/bin/env python3
"""Dies before and after the first, the second, the third … output call of a run: whatever is written or synced of the
state (intents, outcomes, the merge, the watermark), every request sent, every answer received. Then one plain sync must
come to what an undisturbed run comes to (tests/harness/lab.py says how that is compared).

  deaths.py --program ./leadsync --failio tests/harness/failio.so [--seed 1] [--step 1] [--power 1] [--jobs 2] [--first]
            [--old tests/cases/state/v1] [--upto N] [--keep]

Three trials per point: death before the call, after it, and the power cut before it, in which what was not synced is lost,
torn or there (--power: how many of those, each with a seed of its own). --step N tries every Nth point, from a random
one on, --upto the first N. With --old the run begins by bringing that state up to date. --only BEFORE|after|power:N:SEED repeats one.
"""
import argparse
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from lab import Difference, Lab  # noqa: E402


def shim(lab, trial, options, **more):
    return dict(LD_PRELOAD=os.path.abspath(options.failio), FAILIO_PATH=trial.folder + "/state", FAILIO_SOCKETS="1",
                ASAN_OPTIONS="verify_asan_link_order=0:allocator_may_return_null=1:exitcode=99", **more)


def counted(trial):
    try:
        with open(trial.folder + "/count", encoding="utf-8") as f:
            return int(f.read())
    except FileNotFoundError:
        return 0


def points(lab, options):
    """How many calls an undisturbed run makes."""
    with lab.trial() as t:
        t.sync(**shim(lab, t, options, FAILIO_COUNT_FILE=t.folder + "/count"))
        return counted(t)


def die(lab, options, kind, n, seed):
    """None, or what is wrong. Answers "alive" when there was no such point: how many a run has differs by what is answered,
    and written, at once."""
    fault = {"FAILIO_AT": str(n), "FAILIO_KILL": "after" if kind == "after" else "1"}
    if kind == "power":
        fault["FAILIO_POWER"] = str(seed)
    try:
        with lab.trial() as t:
            code, _, err = t.sync(**shim(lab, t, options, FAILIO_COUNT_FILE=t.folder + "/count", **fault))
            if code not in (-9, 1):
                raise Difference(f"the run ends in {code}: {err[-600:]}")
            if code == 1 and counted(t) >= n:
                raise Difference(f"the run outlived that point, and came to {counted(t)}")
            t.settle()
            t.check()
            return None if code == -9 else "alive"
    except Difference as difference:
        return str(difference)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--failio", required=True)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--power", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--first", action="store_true", help="of the first run of all, which makes its state")
    parser.add_argument("--old", help="of the run that takes up the state of an older leadsync")
    parser.add_argument("--upto", type=int, default=1 << 30)
    parser.add_argument("--only")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if not os.path.exists(options.failio):
        sys.exit(f"{options.failio} is not there: make it first")
    chance = random.Random(options.seed)
    with Lab(options.program, keep=options.keep, first=options.first, old=options.old) as lab:
        n = points(lab, options)
        if n == 0:
            print("no deaths: this sanitizer cannot be preloaded over")
            return
        plan = [(kind, at, options.seed * 1000003 + at * 101 + again)
                for at in range(chance.randrange(1, options.step + 1), min(n, options.upto) + 1, options.step)
                for kind, times in (("before", 1), ("after", 1), ("power", options.power)) for again in range(times)]
        if options.only:
            kind, at, seed = options.only.split(":")
            plan = [(kind, int(at), int(seed))]
        deaths, wrong = 0, 0
        with ThreadPoolExecutor(options.jobs) as pool:
            for (kind, at, seed), result in zip(plan, pool.map(lambda p: die(lab, options, *p), plan)):
                if result == "alive":
                    continue
                deaths += 1
                if result is not None:
                    wrong += 1
                    print(f"{kind}:{at}:{seed}: {result}", flush=True)
        print(f"{n} points, {deaths} deaths, seed {options.seed}: {wrong} wrong")
        sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
