"""A PostgreSQL table of people with a column that says when a row changed, and what its rows ask for.

The column has one of several types and may be NULL, rows may be written with a time that is already past, and all of it
becomes a day older at once, because tests do not wait for days. judge() says what is wrong with the leads of the table.
"""
import subprocess

from workspace import Difference

# Of a type: the mark of a row that is written SECONDS ago, a mark that is a day older, overlaps that fit it. Numbers and texts
# are compared as they are: a text has no overlap.
NOW = "clock_timestamp()"
TIMES = ["1m", "10m", "1h", "30h"]
AGES = {"0": 0, "1m": 60, "10m": 600, "1h": 3600, "30h": 108000, "60": 60, "3600": 3600}
TEXT = "to_char(({}) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
TYPES = {
    "timestamptz": ("{}", "{}::timestamptz - interval '1 day'", TIMES),
    "timestamp": ("({}) at time zone 'UTC'", "{}::timestamp - interval '1 day'", TIMES),
    "date": ("(({}) at time zone 'UTC')::date", "{}::date - 1", TIMES),
    "bigint": ("extract(epoch from {})::bigint", "{}::bigint - 86400", ["60", "3600", None]),
    "text": (TEXT, TEXT.format("{}::timestamp at time zone 'UTC' - interval '1 day'"), [None]),
}


class Database:
    """One session of psql, which answers statement after statement."""

    END = "--- end ---"

    def __init__(self, psql, url):
        self.program = subprocess.Popen([psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def __call__(self, text):
        """The rows, as lists of texts."""
        self.program.stdin.write(f"{text};\n\\echo {self.END}\n")
        self.program.stdin.flush()
        lines = []
        for line in self.program.stdout:
            if line.rstrip("\n") == self.END:
                return [line.split("|") for line in lines]
            lines.append(line.rstrip("\n"))
        raise RuntimeError(f"psql ended: {lines[-3:]} after {text}")

    def close(self):
        self.program.stdin.close()
        self.program.wait()
        self.program.stdout.close()


class Row:
    def __init__(self, ident, email):
        self.ident, self.email, self.record = ident, email, ident
        self.name, self.company, self.seats, self.out, self.hidden = f"N{ident}", f"C{ident}", None, False, False
        self.unmarked = False  # without a time: waits for a full read
        self.takes_over = False  # the lead of another key: waits for a read of both, and no run ends in 0 before
        self.addresses = set()  # those it had before
        self.past = set()  # those of a row that is gone, and had the same record

    def lead(self):
        return ("Main", self.name, self.seats)

    def waits(self):
        return self.unmarked or self.takes_over

    def wants(self):
        return not self.hidden and not self.out and "@" in self.email


class PeopleTable:
    def __init__(self, database, schema, chance, keyed, nullable, mirror):
        self.sql, self.schema, self.random = database, schema, chance
        self.keyed, self.nullable, self.mirror = keyed, nullable, mirror
        self.rows, self.removed = {}, []
        self.next, self.next_record = 1, 1000000
        self.type, self.overlap = "timestamptz", 600
        self.owners = {}   # address: the keys of the row that had it last
        self.handed_on = set()  # addresses that went from one key to another
        self.key = "record"  # of the mapping, if any
        self.had_keys = False  # a mapping with another key: ran, and recorded statuses by it
        self.gone = {}     # address that no row has any more, or has hidden: does its removal wait for a full read?
        self.never = set()  # addresses whose rows wanted them never
        self.marked = set()  # addresses of people who unsubscribed, bounced or were skipped in Instantly
        self.doubtful = set()  # idents of rows with such an address in their past, or with one that such a row has had since
        self.claimed = set()  # addresses of doubtful rows: the status goes over to them
        self.forbidden = set()  # addresses that only such rows had: nobody is mailed there
        self.touched = set()  # idents and addresses that changed since forget_touched()
        self.statements = []
        self.sql(f"drop schema if exists {schema} cascade; create schema {schema}; create table {schema}.people (id bigint, "
                 "email text not null, name text, company text, seats int, out text, hidden boolean, record bigint, "
                 f"created_at timestamptz not null default now(), updated_at timestamptz {'' if nullable else 'not null'}); "
                 f"grant usage on schema {schema} to reader; grant select on {schema}.people to reader")

    # ---- writing ----

    def mark(self, row, unmarked):
        """The column's value as SQL. A writer is late at times, but never as late as the overlap."""
        row.unmarked = unmarked
        if unmarked:
            return "null"
        late = self.random.choice([0, 0, int(self.overlap * 0.8)]) if self.type != "date" else 0
        return TYPES[self.type][0].format(f"{NOW} - interval '{late} s'")

    def write(self, row, is_new=False, unmarked=None):
        if unmarked is None:
            unmarked = self.nullable and self.random.randrange(12) == 0
        self.touched |= {row.ident, row.email}
        values = (f"{row.ident}, '{row.email}', '{row.name}', '{row.company}', {row.seats or 'null'}, "
                  f"'{'yes' if row.out else ''}', {row.hidden}, {row.record}, {self.mark(row, unmarked)}")
        columns = "id, email, name, company, seats, out, hidden, record, updated_at"
        self.statements.append(
            f"insert into {self.schema}.people ({columns}) values ({values})" if is_new else
            f"update {self.schema}.people set ({columns}) = row({values}) where id = {row.ident}")

    def spread(self):
        """A swap of addresses looks like a person's new address: the status goes to each address of a doubtful row, and from there
        to the other rows that had it."""
        more = {None}
        while more:
            self.claimed |= self.marked | {row.email for row in self.rows.values() if row.ident in self.doubtful}
            more = {row.ident for row in self.rows.values() if (row.addresses | row.past | {row.email}) & self.claimed} - self.doubtful
            self.doubtful |= more

    def commit(self):
        self.spread()
        if self.statements:
            self.sql("begin; " + "; ".join(self.statements) + "; commit")
        self.statements = []

    def leaves(self, row, email):
        """The address, and those whose leads stayed because the row could not have a new one."""
        for old in {email} | {old for old in row.addresses if old in self.gone}:
            self.gone[old] = True
            self.touched.add(old)

    @staticmethod
    def keys(row):
        return {"id": row.ident, "record": row.record}

    def takes(self, row):
        """The row has this address from here on."""
        if self.keyed and row.email in self.owners and (
                row.email in self.handed_on or self.owners[row.email][self.key] != self.keys(row)[self.key]):
            row.takes_over = True
            self.handed_on.add(row.email)
        if row.wants():
            self.never.discard(row.email)
        elif row.email not in self.owners:
            self.never.add(row.email)
        self.owners[row.email] = self.keys(row)
        self.gone.pop(row.email, None)

    def new(self, email=None, record=None, past=()):
        row = Row(self.next, email or f"p{self.next}@example.com")
        row.past = set(past)
        self.next += 1
        row.record = record or row.ident
        row.out, row.hidden = self.random.randrange(12) == 0, self.random.randrange(20) == 0
        row.seats = self.random.choice([None, 1, 20, 300])
        self.takes(row)
        self.rows[row.ident] = row
        self.write(row, is_new=True)

    def rename(self, row):
        row.name = f"N{row.ident}.{self.random.randrange(1000)}"
        row.company = f"C{row.ident}.{self.random.randrange(1000)}"

    def change(self, row):
        what = self.random.choice(["name", "name", "seats", "none", "out", "hidden", "address", "record"])
        if what == "name":
            self.rename(row)
        elif what == "seats":
            row.seats = self.random.choice([None, self.random.randrange(1, 999)])
        elif what == "out" and self.random.randrange(2):
            row.out = not row.out
            self.takes(row)
        elif what == "hidden" and self.random.randrange(2):
            row.hidden = not row.hidden
            if row.hidden:
                self.leaves(row, row.email)
            else:
                self.takes(row)
        elif what == "address" and self.random.randrange(2):
            self.change_address(row)
        elif what == "record" and self.keyed and self.random.randrange(2):
            # A system that merges records gives the person another key.
            row.record = self.next_record
            self.next_record += 1
            self.takes(row)
        self.write(row)

    def change_address(self, row):
        known = sorted(row.addresses - {other.email for other in self.rows.values()})
        old, row.email = row.email, self.random.choice(known + [f"p{row.ident}v{self.random.randrange(9)}@example.com"])
        if any(other is not row and other.email == row.email for other in self.rows.values()):
            row.email = old
            return
        row.addresses.add(old)
        if old in self.marked or row.ident in self.doubtful:
            self.doubtful.add(row.ident)
            if self.keyed and row.email not in self.owners and old in self.marked and old not in self.handed_on:
                self.forbidden.add(row.email)
        self.leaves(row, old)
        self.takes(row)

    def swap(self, one, other):
        """Two people's rows were mixed up."""
        one.email, other.email = other.email, one.email
        for row, old in ((one, other.email), (other, one.email)):
            row.addresses.add(old)
            if old in self.marked:
                self.doubtful.add(row.ident)
            self.takes(row)
            self.write(row)

    def delete(self, row):
        del self.rows[row.ident]
        self.removed.append(row)
        self.touched.add(row.ident)
        self.leaves(row, row.email)
        self.statements.append(f"delete from {self.schema}.people where id = {row.ident}")

    def comes_back(self):
        old = self.removed.pop(self.random.randrange(len(self.removed)))
        if all(row.email != old.email for row in self.rows.values()):
            # An import gives it another number, or the one that it had.
            if self.random.randrange(2):
                self.new(old.email, old.record, old.addresses | old.past | {old.email})
            else:
                self.new(old.email)

    def changes(self, share=1.0):
        r = self.random
        for row in r.sample(list(self.rows.values()), int(len(self.rows) * share / 8)):
            self.change(row)
        for row in r.sample(list(self.rows.values()), int(len(self.rows) * share / 25)):
            self.delete(row)
        for _ in range(r.randrange(3) if self.removed else 0):
            if self.removed:
                self.comes_back()
        if len(self.rows) > 4 and r.randrange(4) == 0:
            self.swap(*r.sample(list(self.rows.values()), 2))
        for _ in range(int(r.choice([2, 5, 12]) * share)):
            self.new()
        self.commit()

    # ---- the column ----

    def retype(self, name):
        old = TYPES[self.type]
        self.type = name
        value = "updated_at"
        if old is TYPES["bigint"]:
            value = "to_timestamp(updated_at)"
        elif old is TYPES["timestamp"] or old is TYPES["text"] or old is TYPES["date"]:
            value = "updated_at::timestamp at time zone 'UTC'"
        self.sql(f"alter table {self.schema}.people alter updated_at type {name} using {TYPES[name][0].format(value)}")

    def a_day_later(self):
        self.sql(f"update {self.schema}.people set created_at = created_at - interval '1 day', "
                 f"updated_at = {TYPES[self.type][1].format('updated_at')}")

    def day_before(self, value, kind):
        """A stored watermark, a day before."""
        return self.sql("select " + TYPES[kind][1].format(f"'{value}'"))[0][0]

    # ---- what must be there ----

    def unsubscribes(self, email):
        self.marked.add(email)
        self.spread()

    def forget_touched(self):
        self.touched = set()

    def was_read(self, before):
        """A run ended in 0. Of the rows that waited when it began (waiting()), those that it read have taken their leads over."""
        for row in before[0]:
            if row.ident not in self.touched and not row.unmarked:
                row.takes_over = False

    def was_read_in_full(self, before, keys_mixed):
        """Of what waited when the read began (waiting()), nothing waits; in the first read by another key, no lead
        counts as missing yet. A lead that could not go over to its row's key waits until a run ends in 0."""
        for row in before[0]:
            if row.ident not in self.touched:
                row.unmarked = False
        for email in () if keys_mixed else before[1]:
            if email in self.gone and email not in self.touched:
                self.gone[email] = False

    def waiting(self):
        return [row for row in self.rows.values() if row.waits()], [email for email, waits in self.gone.items() if waits]

    def judge_row(self, row, have, policy, then, tainted):
        places = [place for place, *_ in have]
        if len(set(places)) < len(places):
            return "is there twice"
        have = [lead for lead in have if lead[0] != "Gone"] or have
        if row.email in self.marked:
            return None
        if row.email in self.never and have and row.email not in tainted:
            return "never wanted to be there"
        if row.hidden:
            return None  # as one that is gone
        if row.waits() or "@" not in row.email or self.is_kept_by_another(row):
            return None
        if row.out:
            kept = then == "keep" or ("move" in (policy, then) and places == ["Gone"])
            return None if kept or not have or self.is_anothers(row) else "has opted out"
        if (self.keyed or self.had_keys) and row.ident in self.doubtful:
            return self.judge_marked(have) if row.email in self.forbidden else None
        return None if [lead[:3] for lead in have] == [row.lead()] else f"should be {row.lead()}"

    def is_anothers(self, row):
        """The lead of the address came under another key, which no row has or whose row has another address now."""
        return self.keyed and (row.addresses or row.email in self.handed_on)

    def is_kept_by_another(self, row):
        """Whose lead the address is: a row that opts out, or whose person did, keeps its lead even if it has another address."""
        return self.keyed and any(
            other is not row and row.email in other.addresses | other.past and
            (not other.wants() or other.email in self.marked or other.ident in self.doubtful) for other in self.rows.values())

    def judge_gone(self, email, have, policy, then):
        """Of a mirror, when no row has the address. It may have opted out before."""
        away = [[], ["Gone"]] if "move" in (policy, then) else [[]]
        if not self.mirror or policy == "keep" or self.gone[email] or [place for place, *_ in have] in away:
            return None
        # An old address stays until its row has its new lead.
        if self.keyed and any(
                email in row.addresses | row.past and not (row.wants() and not row.waits() and row.ident not in self.doubtful)
                for row in self.rows.values()):
            return None
        return "is gone"

    def judge_marked(self, have):
        active = [lead for lead in have if lead[0] in ("Main", "Other") and lead[3] >= 0]
        return "was made active again" if active else None

    def compare(self, there, policy, then, tainted, leave_out=()):
        """`there` as of Workspace.there(); `tainted`: addresses that a wrong mapping may have brought; what is in `leave_out`
        changed while it was read."""
        rows = {row.email: row for row in self.rows.values()}
        for email in sorted(set(there) | set(rows)):
            row, have = rows.get(email), there.get(email, [])
            wrong = self.judge_marked(have) if email in self.marked else None
            if wrong is None and email not in leave_out and (row is None or row.ident not in leave_out):
                if row is None and email not in self.gone:
                    wrong = "is nobody's"
                elif row is None or row.hidden:
                    wrong = self.judge_gone(email, have, policy, then) if email in self.gone else None
                if wrong is None and row is not None:
                    wrong = self.judge_row(row, have, policy, then, tainted)
            if wrong:
                raise Difference(f"{email} {wrong}: {have}, row {row and vars(row)}, policy {policy}, then {then}")
