"""The table that a hammer's world is synced from, and what must be in Instantly when its runs have come to an end.

People come, change, change sides, change address, opt out in one of two rows, go and come back. Some of them
unsubscribe or are deleted by hand there. judge() says of each name (an address, or the key of a row without one) what is
wrong with the leads that are there.
"""

from workspace import Difference

PLACES = ["North", "South", "Shelf"]  # two campaigns and a list
CAMPAIGNS = {"North", "South"}


class Table:
    def __init__(self, chance, kind, policy, then, add_by_hand):
        self.random, self.kind, self.policy, self.then, self.add_by_hand = chance, kind, policy, then, add_by_hand
        self.rows = {}      # id: row
        self.gone = {}      # id: row, as it was last
        self.names = {}     # id: the addresses that it had before
        self.owners = {}    # address, or key of a row without one: number of the person
        self.never = set()  # addresses of people whose rows never wanted them
        self.tainted = set()  # those whom a wrong mapping may have brought
        self.left = set()   # addresses that no row has any more
        self.marked = {}    # address of who unsubscribed, bounced or was skipped: was its row there ever since?
        self.doubtful = set()  # ids of such people who came under another address: they are not active, if there at all
        self.deleted = set()  # whom somebody deleted by hand: nobody brings them back, unless it was done amid a run
        self.forgotten = set()  # such people of two syncs: a move by the one makes Instantly forget it, unseen by the other
        self.next_person = 0

    def new_row(self):
        r = self.random
        self.next_person += 1
        n = self.next_person
        row = {"email": f"p{n}@example.com", "first": f"F{n}", "seats": str(r.randrange(100)), "place": r.choice(PLACES),
               "out": "", "second": None, "person": n}
        if self.kind == "staged":
            row["place"] = "North"
            if r.randrange(6) == 0:
                row["email"] = f"p{n}.{r.choice(['invalid', 'risky'])}@example.com"
        if self.kind == "keyed" and row["place"] == "Shelf" and r.randrange(3) == 0:
            row["email"] = ""
        elif self.kind not in ("staged", "foretold") and r.randrange(10) == 0:
            self.add_by_hand(row)
        elif self.kind == "doubled" and r.randrange(3) == 0:
            self.add_second_row(row)
        self.take(str(n), row)

    def take(self, ident, row):
        """The row is in the table from here on."""
        self.rows[ident] = row
        self.owners[self.name(ident, row)] = row["person"]
        if not self.wants_nobody(row):
            self.never.discard(row["email"])

    def add_second_row(self, row):
        """A person who has two rows and opts out in one of them has opted out."""
        row["second"] = self.random.choice(["", "1"]) if self.then else ""
        if row["second"]:
            self.never.add(row["email"])

    @staticmethod
    def wants_nobody(row):
        return "1" in (row["out"], row["second"])

    def change_row(self, ident, row):
        r = self.random
        what = "place" if row["email"] in self.marked and r.randrange(2) else \
            r.choice(["place", "first", "seats", "address"])
        if what == "place" and self.kind != "staged" and row["email"]:
            self.change_place(row)
        elif what == "address" and self.kind == "keyed":
            self.change_address(ident, row)
        elif what == "first":
            row["first"] = f"F{row['person']}.{r.randrange(1000)}"
        elif what == "seats":
            row["seats"] = str(r.randrange(1000))
        if self.then and r.randrange(6) == 0:
            self.opt_out_or_in(ident, row)

    def change_address(self, ident, row):
        old = self.name(ident, row)
        row["email"] = f"p{row['person']}v{self.random.randrange(3)}@example.com"
        self.names.setdefault(ident, set()).add(old)
        if old in self.marked or ident in self.doubtful:
            self.doubtful.add(ident)
        self.leaves(old)
        self.take(ident, row)

    def opt_out_or_in(self, ident, row):
        member = "out" if row["second"] is None else self.random.choice(["out", "second"])
        row[member] = "" if row[member] else "1"
        if self.wants_nobody(row) and self.then != "keep":
            self.leaves(self.name(ident, row))
        self.take(ident, row)

    def change_place(self, row):
        row["place"] = self.random.choice(PLACES)
        if self.kind == "twins" and row["email"] in self.marked:
            self.forgotten.add(row["email"])

    def leaves(self, name):
        self.left.add(name)
        if name in self.marked:
            self.marked[name] = False

    def change(self):
        r = self.random
        known = sorted(self.rows)
        marked = [ident for ident in known if self.name(ident, self.rows[ident]) in self.marked]
        # Rows of people who must not be mailed change sides far more often than others.
        for ident in r.sample(known, len(known) // 8) + r.sample(marked, len(marked) // 2):
            self.change_row(ident, self.rows[ident])
        for ident in r.sample(known, len(known) // 10):
            self.gone[ident] = self.rows.pop(ident)
            self.leaves(self.name(ident, self.gone[ident]))
        for ident in r.sample(sorted(self.gone), len(self.gone) // 3):
            row = self.gone.pop(ident)
            self.take(ident, row)
            if r.randrange(2) and self.kind != "staged" and row["email"]:
                self.change_place(row)
        for _ in range(r.choice([5, 20, 60])):
            self.new_row()

    def change_back_and_forth(self):
        """Between two runs of a night: addresses change, often back to one that was left just now."""
        known = sorted(ident for ident, row in self.rows.items() if row["email"])
        for ident in self.random.sample(known, len(known) // 6):
            self.change_address(ident, self.rows[ident])

    def write(self, path):
        lines = []
        for ident, v in self.rows.items():
            for end, out in (("", v["out"]), ("b", v["second"])):
                if out is not None:
                    lines.append(f"{ident}{end},{v['email']},{v['first']},{v['seats']},{v['place'].lower()},{out}\n")
        self.random.shuffle(lines)
        with open(path, "w", encoding="utf-8") as f:
            f.write("id,email,first,seats,place,out\n")
            f.writelines(lines)

    # ---- what must be there ----

    @staticmethod
    def name(ident, row):
        return row["email"] or f"key {ident}"

    def judge(self, name, have, row):
        """What is wrong with those of this name, or None; row: of the table, or None."""
        if self.kind == "keyed" and row is not None:
            have = self.without_old(have, row)
        places = [place for place, *_ in have]
        if len(have) > 1:
            return "is there twice"
        if name in self.never and have and name not in self.tainted:
            return "has opted out in its first row"
        if name in self.marked:
            # A user deleted the lead while its row was away: the wish of its person was lost with it, unseen.
            unseen = name in self.forgotten or (name in self.deleted and not self.marked[name])
            # A lead that was left behind is not looked at when its row comes back to the address in another place.
            unseen = unseen or (self.kind == "keyed" and self.policy == "keep" and not self.marked[name])
            if places and places[0] in CAMPAIGNS and have[0][3] >= 0 and not unseen:
                return "was made active again"
            return None if have or not self.marked[name] or name in self.deleted else "is lost"
        if name in self.deleted:
            return None
        if row is not None and self.wants_nobody(row):
            # Its row may have been gone before.
            away = [[]] + [["Gone"]] * ("move" in (self.policy, self.then))
            # Under a row key a lead that was left behind when the address changed no longer belongs to the row.
            is_old = self.kind == "keyed" and self.policy == "keep" and name in self.left
            return None if self.then == "keep" or is_old or places in away else "has opted out"
        if row is None:
            if name not in self.left:
                return "is nobody's"
            if [first for _, first, *_ in have] == ["By hand"]:
                return None  # no run has seen its row
            if any(name in names and ident in self.rows and self.wants_nobody(self.rows[ident])
                   for ident, names in self.names.items()):
                return None  # it stays under its old address until it is wanted again
            if name.split("@")[0].endswith(("invalid", "risky")) and places == ["North"]:
                return "is not valid"
            # It may have come and gone between two runs, and values of what is gone are not kept up.
            away = [[]] + [["Gone"]] * ("move" in (self.policy, self.then))
            return "is gone" if self.policy != "keep" and places not in away else None
        if ".invalid@" in name or ".risky@" in name:
            # Once removed and come back it is refused as before, wherever it went: no lead is verified twice.
            return None if places == ["Shelf"] or (name in self.left and places in ([], ["Gone"])) else "is not valid"
        want = (row["place"], row["first"], row["seats"])
        return None if [lead[:3] for lead in have] == [want] else f"should be {want}"

    @staticmethod
    def without_old(have, row):
        """A row that comes back to an address in another place gets a lead of its own there, beside the one that was moved
        away or left behind."""
        places = [place for place, *_ in have]
        return have if len(set(places)) < len(places) else [lead for lead in have if lead[0] == row["place"]] or have

    def judge_doubtful(self, ident, name, have):
        """Of a row whose person unsubscribed under another address."""
        places = [place for place, *_ in have]
        if len(set(places)) < len(places):
            return "is there twice"
        # A lead that was left behind under this address is not a new lead.
        is_old = self.policy == "keep" and name in self.names[ident]
        active = [lead for lead in have if lead[0] in CAMPAIGNS and lead[3] >= 0]
        return "was made active again under another address" if active and not is_old else None

    def compare(self, there):
        """`there`: of each name, its leads as (place, first name, seats, status)."""
        rows = {self.name(ident, row): (ident, row) for ident, row in self.rows.items()}
        for name in sorted(set(there) | set(rows)):
            have, (ident, row) = there.get(name, []), rows.get(name, (None, None))
            wrong = self.judge_doubtful(ident, name, have) if ident in self.doubtful else self.judge(name, have, row)
            person = self.owners.get(name)
            if any(first != "By hand" and first.split(".")[0] != f"F{person}" for _, first, *_ in have):
                wrong = "has the values of somebody else"
            if wrong:
                raise Difference(f"{name} {wrong}: {have}, row {row}, policy {self.policy}")
