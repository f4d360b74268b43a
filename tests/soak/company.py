#!/usr/bin/env python3
"""Runs that are not alone, or whose time is not what it seems: a night of creates, updates, moves and removals with lost
answers, and in it one of

  paused   the process is stopped at a random moment (SIGSTOP) for many times what it waits for a lost request
  jumped   the wall clock jumps by a day, back or on, at a random look at it; also between a kill and the next run
  twins    another sync with a state of its own brings the same people to the same places at the same time
  crowd    a second run of the same sync is started in the middle: it ends in 75 and does nothing
  queue    a second run waits for the first one's lock (--wait-lock), and either may be killed

  company.py --program ./leadsync --clockjump tests/harness/clockjump.so [--seed 1] [--nights 100] [--kind K] [--keep]
"""
import argparse
import fcntl
import os
import random
import signal
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from lab import Difference, Lab  # noqa: E402

TWIN = """version: 1
name: twin
source: {csv: {path: twin.csv}}
route: {column: place, cases: {north: {campaign: North}, south: {campaign: South}, shelf: {list: Shelf}}}
fields: {email: email, first_name: first}
custom_variables: {seats: seats}
guards: {moved: none, changed: none, rejected: none}
limits: {batch: 3, requests_per_second: 0, requests_per_minute: 0, settle: 60ms, job_wait: 60s}
"""
RUNS = 3


def jump(options, chance):
    return dict(LD_PRELOAD=os.path.abspath(options.clockjump), CLOCKJUMP_AT=str(chance.randrange(1, 120)),
                CLOCKJUMP_S=str(chance.choice([-86400, 86400, -3600])), ASAN_OPTIONS="verify_asan_link_order=0")


def paused(t, chance, _):
    run = t.start("sync", "lab.yaml", "-q")
    time.sleep(chance.uniform(0.002, 0.15))
    run.send_signal(signal.SIGSTOP)
    time.sleep(chance.uniform(0.1, 0.6))
    run.send_signal(signal.SIGCONT)
    return t.end_of(run)


def jumped(t, chance, options):
    if chance.randrange(2):
        run = t.start("sync", "lab.yaml", "-q", **jump(options, chance))
        time.sleep(chance.uniform(0.01, 0.2))
        run.kill()
        t.end_of(run)
    return t.sync(**jump(options, chance))


def twins(t, chance, _):
    with open(t.folder + "/twin.yaml", "w", encoding="utf-8") as f:
        f.write(TWIN)
    rows = [row[:5] for row in t.rows if "@" in row[1] and row[5] != "1"]
    chance.shuffle(rows)
    with open(t.folder + "/twin.csv", "w", encoding="utf-8") as f:
        f.write("id,email,first,seats,place\n")
        f.writelines(",".join(row) + "\n" for row in rows)
    first = t.start("sync", "lab.yaml", "-q")
    time.sleep(chance.uniform(0, 0.1))
    second = t.start("sync", "twin.yaml", "-q", name="-twin")
    end = t.end_of(first)
    code, _, err = t.end_of(second, name="-twin")
    if code not in (0, 1, 69):
        raise Difference(f"the twin ends in {code}: {err[-600:]}")
    return end


def holds_lock(t, run):
    """The holder of the lock has written its name into the file. The name stays when the holder has ended, the lock does not."""
    with open(t.folder + "/state/leadsync/lab.sandbox.db.lock", encoding="utf-8") as f:
        asked = fcntl.fcntl(f, fcntl.F_OFD_GETLK, struct.pack("hhqqi", fcntl.F_RDLCK, os.SEEK_SET, 0, 1, 0))
        return struct.unpack("hhqqi", asked)[0] != fcntl.F_UNLCK and str(run.pid) in f.read()


def state_of(run):
    with open(f"/proc/{run.pid}/stat", encoding="utf-8") as f:
        return f.read().rsplit(")", 1)[1].split()[0]


def crowd(t, chance, _):
    run = t.start("sync", "lab.yaml", "-q")
    while run.poll() is None and not holds_lock(t, run):
        time.sleep(0.001)
    run.send_signal(signal.SIGSTOP)  # so that it is surely there, unless it was over before
    while run.poll() is None and state_of(run) != "T":
        time.sleep(0.001)
    held = holds_lock(t, run)
    code, _, err = t.run("sync", "lab.yaml", name="-second")
    run.send_signal(signal.SIGCONT)
    result = t.end_of(run)
    if held and (code != 75 or str(run.pid) not in err):
        raise Difference(f"a second run beside {run.pid} ends in {code}: {err[-600:]}")
    return result


def queue(t, chance, _):
    """The second run has opened the state before the first one makes, or removes, its journal; either may die. On a busy
    machine the second may be there first: then the first one, which does not wait, has to give way."""
    first = t.start("sync", "lab.yaml", "-q")
    time.sleep(chance.uniform(0, 0.12))
    second = t.start("sync", "lab.yaml", "-q", "--wait-lock", "300", name="-second")
    time.sleep(chance.uniform(0, 0.2))
    if chance.randrange(2):
        first.kill()
    result = t.end_of(first)
    if chance.randrange(2):
        time.sleep(chance.uniform(0, 0.15))
        second.kill()
    code, _, err = t.end_of(second, name="-second")
    if code not in (0, 1, 69, -9):
        raise Difference(f"the run that waited ends in {code}: {err[-600:]}")
    return (0, "", "") if result[0] in (-9, 75) else result


KINDS = {"paused": paused, "jumped": jumped, "twins": twins, "crowd": crowd, "queue": queue}


def night(lab, kind, seed, options):
    chance = random.Random(seed)
    with lab.trial() as t:
        t.control(faults=";".join(f"{route}:{fault}={chance.choice([10, 30])}%" for route, fault in chance.sample(
            [("POST /leads/add", "drop-after"), ("POST /leads/add", "drop-before"), ("PATCH *", "500-after"),
             ("POST /leads/move", "drop-after"), ("DELETE /leads", "500-after")], 2)))
        code, _, err = KINDS[kind](t, chance, options)
        if code not in (0, 1, 69):
            raise Difference(f"the run ends in {code}: {err[-600:]}")
        t.control(faults="")
        if kind == "twins":
            for _ in range(RUNS):
                t.run("sync", "twin.yaml", "-q")
        t.settle(RUNS)
        # After a jump of the clock, or with a twin, the run may be wrong about who made a lead, but not about its number.
        t.check(parts=("leads",) if kind in ("jumped", "twins") else ("leads", "table"))
        if kind == "twins":
            code, _, err = t.run("sync", "twin.yaml", "-q")
            if code != 0:
                raise Difference(f"the twin's last run ends in {code}: {err[-600:]}")
            t.check(parts=("leads",))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--clockjump", required=True)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--nights", type=int, default=100)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    wrong = 0
    with Lab(options.program, keep=options.keep) as lab:
        for i in range(options.nights):
            kind = options.kind or list(KINDS)[i % len(KINDS)]
            try:
                night(lab, kind, options.seed + i, options)
            except Difference as difference:
                wrong += 1
                print(f"--kind {kind} --seed {options.seed + i} --nights 1: {difference}", flush=True)
    print(f"{options.nights} nights, seeds {options.seed} to {options.seed + options.nights - 1}: {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
