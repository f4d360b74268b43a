/* The guards: what they count, what they allow, and their messages.
 *
 * A guard that is exceeded only records its message (guard_trip()). The run ends at the next guard_verdict(), with the messages
 * of all exceeded guards, so that the user sees them in one run. A dry run warns of each and goes on. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/report/report_read.h"

enum { WARNING_BYTES = 1 << 16 };

bool guard_exceeds(const struct guard_limit *limit, uint64_t n, uint64_t whole)
{
    switch (limit->kind) {
    case GUARD_SHARE: return (double)n > limit->value * (double)whole;
    case GUARD_COUNT: return (double)n > limit->value;
    case GUARD_STOP: return n > 0;
    case GUARD_NONE: return false;
    }
    return false;
}

static void limit_text(const struct guard_limit *limit, char *out, size_t size)
{
    switch (limit->kind) {
    case GUARD_SHARE: snprintf(out, size, "%.10g%%", limit->value * 100); return;
    case GUARD_COUNT: snprintf(out, size, "%.15g", limit->value); return;
    case GUARD_STOP: snprintf(out, size, "stop"); return;
    case GUARD_NONE: snprintf(out, size, "none"); return;
    }
}

void guard_note(struct run *r, const char *name, const struct guard_limit *limit, uint64_t n, uint64_t whole, bool stops)
{
    struct run_report *report = r->report;
    size_t i = 0;
    while (i < report->guards_n && strcmp(report->guards[i].name, name) != 0)
        i++;
    if (i == RUN_GUARDS_MAX)
        return;
    struct run_guard *guard = &report->guards[i];
    report->guards_n += i == report->guards_n;
    *guard = (struct run_guard){.name = name, .counted = n, .of = whole, .stops = stops || guard->stops};
    limit_text(limit, guard->limit, sizeof guard->limit);
}

bool guard_judge(struct run *r, const char *name, const struct guard_limit *limit, bool speaks, uint64_t n, uint64_t whole)
{
    bool stops = speaks && guard_exceeds(limit, n, whole);
    guard_note(r, name, limit, n, whole, stops);
    return stops;
}

const char *guard_advice(const char *guard, uint64_t n, uint64_t whole, char text[GUARD_ADVICE_N])
{
    struct guard_limit limit = {.kind = GUARD_SHARE};
    unsigned percent = 0;
    while (percent <= 100 && guard_exceeds(&limit, n, whole))
        limit.value = ++percent / 100.0; /* Divided as the mapping's percentage is, so that both round alike. */
    if (percent > 100)
        snprintf(text, GUARD_ADVICE_N, "--guard %s=none", guard);
    else if (percent == 100)
        snprintf(text, GUARD_ADVICE_N, "--guard %s=100%%", guard);
    else
        snprintf(text, GUARD_ADVICE_N, "--guard %s=%u%%, or any number with --guard %s=100%%", guard, percent, guard);
    return text;
}

/* ---- the past of the mapping ---- */

/* What earlier runs say of today's mapping. */
struct mapping_past {
    bool other_wrote;       /* The latest run that wrote leads, or was killed and may have, had another mapping. */
    bool other_was_stopped; /* And it did not come to its end. */
    bool was_complete;      /* A complete run had today's mapping. */
    bool was_edited;        /* The latest complete run had another mapping. */
    uint64_t last_complete; /* The number of the latest complete run. 0: there is none. */
};

/* A run that was killed has no counts, and may have written. */
static bool wrote_leads(const struct run_record *run)
{
    return !report_read_has_rows(run->report) || report_read_rows(run->report, "created") > 0 ||
           report_read_rows(run->report, "updated") > 0 || report_read_rows(run->report, "moved") > 0;
}

static int look_back(struct run *r, struct mapping_past *past, struct err *e)
{
    enum { LOOK_BACK = 20, RUNS_BYTES = 64 << 20 };
    struct arena arena;
    struct run_record *runs;
    size_t n;
    bool found = false;
    *past = (struct mapping_past){.other_wrote = false};
    arena_init(&arena, RUNS_BYTES);
    int rc = state_runs(r->state, LOOK_BACK, &arena, &runs, &n, e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct run_record *run = &runs[i];
        if (run->mapping == 0 || run->id == r->record.id)
            continue;
        bool complete = run->status != NULL && strcmp(run->status, "complete") == 0, other = run->mapping != r->m->digest;
        if (complete && past->last_complete == 0) {
            past->last_complete = run->id;
            past->was_edited = other;
        }
        past->was_complete = past->was_complete || (complete && !other);
        if (!found && wrote_leads(run)) {
            found = true;
            past->other_wrote = other;
            past->other_was_stopped = other && run->status != NULL && strcmp(run->status, "interrupted") == 0;
        }
    }
    arena_free(&arena);
    return rc;
}

/* A new mapping is a more likely cause than the source. "" if the mapping is not new, and for `changed`, which looks back itself. */
static int edit_hint(struct run *r, const struct guard_trip *trip, char *hint, size_t size, struct err *e)
{
    struct mapping_past past = {.was_edited = false};
    hint[0] = '\0';
    if (strcmp(trip->guard, "changed") != 0 && look_back(r, &past, e) < 0)
        return -1;
    if (past.was_edited)
        snprintf(hint, size,
                 "the mapping is not that of the last complete run (run %llu): if this edit is a mistake, undo it, else ",
                 (unsigned long long)past.last_complete);
    return 0;
}

/* ---- messages ---- */

int guard_trip(struct run *r, const struct guard_trip *trip, struct err *e, const char *fmt, ...)
{
    char what[256], hint[160];
    va_list ap;
    if (edit_hint(r, trip, hint, sizeof hint, e) != 0)
        return -1;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (r->diff == NULL) {
        struct buf *all = &r->guards.tripped;
        int bad = buf_addf(all, "%sguard `%s`: %s, so %s: %s%s%s, or allow it with %s", all->n > 0 ? "; " : "", trip->guard,
                           what, trip->done, trip->see, hint, trip->remedy, trip->allow);
        return bad != 0 ? err_oom(e) : 0;
    }
    struct buf text = BUF_INIT(WARNING_BYTES);
    int rc = buf_addf(&text, "guard `%s`: %s: %s%s, or allow it with %s", trip->guard, what, hint, trip->remedy,
                      trip->allow) != 0 ||
                     buf_cstr(&text) == NULL
                 ? err_oom(e)
                 : guard_foretell(r, text.p, e);
    buf_free(&text);
    return rc;
}

int guard_foretell(struct run *r, const char *text, struct err *e)
{
    r->dry.would_stop = true;
    if (r->dry.asks || r->c->remote == RUN_REMOTE_VERIFY)
        return 0;
    log_warning("a sync would stop: %s", text);
    return buf_addf(&r->guards.warnings, "%s\n", text) != 0 ? err_oom(e) : 0;
}

bool guard_tripped(const struct run *r)
{
    return r->guards.tripped.n > 0;
}

int guard_detail(struct run *r, struct str *out, struct err *e)
{
    struct buf text = BUF_INIT(WARNING_BYTES);
    const struct run_report *report = r->report;
    size_t n = 0;
    int bad = 0;
    *out = STR_NONE;
    if (!guard_tripped(r))
        return 0;
    for (size_t i = 0; i < report->guards_n; i++)
        n += report->guards[i].stops;
    bad |= buf_adds(&text, n == 1 ? "guard" : "guards");
    const char *between = " ";
    for (size_t i = 0; i < report->guards_n; i++)
        if (report->guards[i].stops) {
            bad |= buf_addf(&text, "%s`%s`", between, report->guards[i].name);
            between = ", ";
        }
    bad |= buf_adds(&text, " stopped the run") | arena_str(&r->run_arena, buf_str(&text), out);
    buf_free(&text);
    return bad == 0 ? 0 : err_oom(e);
}

int guard_verdict(struct run *r, struct err *e)
{
    if (!guard_tripped(r))
        return 0;
    const char *text = buf_cstr(&r->guards.tripped);
    return text == NULL ? err_oom(e) : err_set(e, XS_GUARD, "%s", text);
}

/* ---- guards of the source ---- */

/* Unchanged rows that an earlier run was refused say nothing about today's source and mapping, so they count neither as
 * rejects nor as rows. */
static int judge_rejected(struct run *r, uint64_t not_counted, struct err *e)
{
    static const struct guard_trip trip = {"rejected", "the run was stopped", "see `leadsync rejects`, ",
                                           "correct the mapping or the source", "--guard rejected=none"};
    const struct tally *t = r->tally;
    uint64_t rejected = t->outcomes[OUTCOME_REJECTED] - t->refused_before - not_counted, rows = t->read - t->refused_before;
    char before[96] = "";
    r->guards.judged_rows = t->read;
    if (!guard_judge(r, "rejected", &r->m->guards.rejected, rejected >= GUARD_REJECTED_MIN, rejected, rows) ||
        r->guards.rejected_reported)
        return 0;
    r->guards.rejected_reported = true; /* A dry run reads on, and must not report it again. */
    if (t->refused_before > 0)
        snprintf(before, sizeof before, " (besides %llu that were refused before)", (unsigned long long)t->refused_before);
    return guard_trip(r, &trip, e, "%llu of %llu rows %s rejected%s", (unsigned long long)rejected, (unsigned long long)rows,
                      r->diff != NULL ? "are" : "were", before);
}

int guard_rejected(struct run *r, struct err *e)
{
    return judge_rejected(r, 0, e);
}

/* Addresses that verification found bad do not count: a list full of them is no reason to stop in the middle. */
int guard_refused(void *run, struct err *e)
{
    struct run *r = run;
    return judge_rejected(r, r->tally->found_bad, e) != 0 ? -1 : guard_verdict(r, e);
}

int guard_source(struct run *r, struct err *e)
{
    static const struct guard_trip empty = {"empty_source", "nothing was done", "", "check the source",
                                            "--guard empty_source=none"};
    static const struct guard_trip shrank = {"source_shrank", "nothing was done", "", "check the source",
                                             "--guard source_shrank=none"};
    uint64_t read = r->tally->read, last = r->read.last_full_rows;
    /* An empty file is not an error, but it may be a truncated export. */
    if (read == 0 && r->m->source.kind == SOURCE_CSV)
        log_notice("%s: has %sno rows", r->source->label, r->m->source.as.csv.header ? "a header and " : "");
    if (strcmp(r->read.kind, "full") != 0 || last == 0)
        return 0;
    bool no_rows = guard_judge(r, "empty_source", &r->m->guards.empty_source, read == 0, read == 0, last);
    if (no_rows && guard_trip(r, &empty, e, "the source has no rows, and the last complete read had %llu",
                              (unsigned long long)last) != 0)
        return -1;
    if (!guard_judge(r, "source_shrank", &r->m->guards.source_shrank, true, read < last ? last - read : 0, last))
        return 0;
    return guard_trip(r, &shrank, e, "%llu row%s read, the last complete read had %llu", (unsigned long long)read,
                      read == 1 ? " was" : "s were", (unsigned long long)last);
}

/* ---- the guard `changed` ---- */

enum { CHANGED_KNOWN_MIN = 100 }; /* Of fewer known leads, any share may change. */

static bool judges_changed(const struct run *r)
{
    return r->guards.known_there >= CHANGED_KNOWN_MIN && r->m->mode != MODE_CREATE;
}

bool guard_changed_may_stop(const struct run *r)
{
    /* Each row changes at most one lead, and no two rows change the same lead. */
    uint64_t to_come = r->guards.known_there > r->guards.known_seen ? r->guards.known_there - r->guards.known_seen : 0;
    return judges_changed(r) && guard_exceeds(&r->m->guards.changed, r->guards.updates + to_come, r->guards.known_there);
}

int guard_changed(struct run *r, struct err *e)
{
    char advice[GUARD_ADVICE_N], allow[2 * GUARD_ADVICE_N + 128], remedy[160] = "correct the mapping or the source";
    struct mapping_past past;
    if (!guard_judge(r, "changed", &r->m->guards.changed, judges_changed(r), r->guards.updates, r->guards.known_there))
        return 0;
    guard_advice("changed", r->guards.updates, r->guards.known_there, advice);
    if (look_back(r, &past, e) < 0)
        return -1;
    snprintf(allow, sizeof allow, "%s", advice);
    if (past.other_wrote && (past.was_complete || past.other_was_stopped))
        snprintf(allow, sizeof allow,
                 "%s; an earlier run under another mapping wrote some of these; to put them right, allow it "
                 "with %.*s",
                 advice, (int)strcspn(advice, ","), advice);
    else if (past.other_wrote && past.last_complete != 0)
        snprintf(remedy, sizeof remedy,
                 "the mapping is not that of the last complete run (run %llu): if this edit is a mistake, "
                 "undo it",
                 (unsigned long long)past.last_complete);
    const struct guard_trip trip = {"changed", "nothing was done", "see `leadsync diff`, ", remedy, allow};
    return guard_trip(r, &trip, e, "%llu of %llu known leads would be updated", (unsigned long long)r->guards.updates,
                      (unsigned long long)r->guards.known_there);
}
