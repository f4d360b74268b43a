/* The guards that `check` can judge in advance, from the rows, the rejects and the last complete read. How many leads would
 * be moved, removed or changed comes from a dry run. */
#include "config.h"

#include "sync/preflight/check_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/pipeline/run_int.h"
#include "sync/pipeline/watermark.h"

void check_guard_rejected(struct check *c)
{
    if (c->rejected >= GUARD_REJECTED_MIN && guard_exceeds(&c->m->guards.rejected, c->rejected, c->rows))
        check_report(c, FINDING_WARNING, "source",
                     "a sync would stop: guard `rejected`: %llu of %llu rows are rejected: correct "
                     "the mapping or the source, or allow it with --guard rejected=none",
                     (unsigned long long)c->rejected, (unsigned long long)c->rows);
}

void check_guard_keyless(struct check *c)
{
    bool removes = c->m->mode == MODE_MIRROR && c->m->removed.policy != REMOVAL_KEEP;
    bool has_line = c->keyless_line > 0;
    if (!removes || !guard_exceeds(&c->m->guards.keyless, c->keyless, c->rows))
        return;
    check_report(c, FINDING_WARNING, "source",
                 "a sync would remove no lead that is missing from the source: %llu row%s no usable "
                 "key (%s %s %llu): correct %s, leave %s out with skip_when, or allow them with --guard keyless=%llu",
                 (unsigned long long)c->keyless, c->keyless == 1 ? " has" : "s have", c->keyless == 1 ? "in" : "first in",
                 has_line ? "line" : "row", (unsigned long long)(has_line ? c->keyless_line : c->keyless_row),
                 c->keyless == 1 ? "it" : "them", c->keyless == 1 ? "it" : "them", (unsigned long long)c->keyless);
}

int check_guard_source(struct check *c, struct state *s, struct err *e)
{
    const char *text;
    /* With a watermark a sync reads only a part of the source, which these guards do not judge. */
    if (!c->counted || watermark_used(c->m) || c->config->partial_input)
        return 0;
    if (state_get(s, "last_full_rows", &text, e) != 0)
        return -1;
    uint64_t last = text != NULL ? strtoull(text, NULL, 10) : 0;
    if (last == 0 || c->rows >= last)
        return 0;
    if (c->rows == 0 && c->m->guards.empty_source.kind != GUARD_NONE)
        check_report(c, FINDING_WARNING, "source",
                     "a sync would stop: guard `empty_source`: the source has no rows, and the last "
                     "complete read had %llu: check the source, or allow it with --guard empty_source=none",
                     (unsigned long long)last);
    if (guard_exceeds(&c->m->guards.source_shrank, last - c->rows, last))
        check_report(c, FINDING_WARNING, "source",
                     "a sync would stop: guard `source_shrank`: %llu row%s read, the last "
                     "complete read had %llu: check the source, or allow it with --guard source_shrank=none",
                     (unsigned long long)c->rows, c->rows == 1 ? " was" : "s were", (unsigned long long)last);
    return 0;
}

/* Reports a guard that only a dry run of all rows can judge. */
static void report_guard(struct check *c, const struct run_guard *guard)
{
    static const char *const verbs[][2] = {{"moved", "moved"}, {"removed", "removed"}, {"changed", "updated"}};
    char advice[GUARD_ADVICE_N];
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        bool large = i == 2 && guard->counted * 2 > guard->of;
        if (strcmp(guard->name, verbs[i][0]) != 0 || (!guard->stops && !large))
            continue;
        char stops[64] = "";
        if (guard->stops)
            snprintf(stops, sizeof stops, "a sync would stop: guard `%s`: ", guard->name);
        check_report(c, FINDING_WARNING, "plan", "%s%llu of %llu known leads would be %s: see leadsync diff%s%s", stops,
                     (unsigned long long)guard->counted, (unsigned long long)guard->of, verbs[i][1],
                     guard->stops ? ", or allow it with " : "",
                     guard->stops ? guard_advice(guard->name, guard->counted, guard->of, advice) : "");
    }
}

/* A dry run reads the source a second time, so it runs only if the state knows leads, and not for the output of a program. Its
 * own messages are dropped, because `check` has reported them or a sync will. */
void check_guard_changes(struct check *c)
{
    const struct diff_options options = {.format = DIFF_NONE};
    struct run_report report = {.sync = NULL};
    struct err e = ERR_INIT;
    struct diff *diff = NULL;
    bool again = c->m->path != NULL && c->m->source.kind != SOURCE_COMMAND &&
                 (c->m->source.kind != SOURCE_CSV || strcmp(c->m->source.as.csv.path, "-") != 0);
    if (!again || !c->counted || c->known_leads == 0 || c->worst.status != XS_DONE)
        return;
    log_repeats(LOG_DROP);
    if (diff_open(&options, &diff, &e) == 0)
        run_diff(c->config, diff, &report, &e);
    log_repeats(LOG_PLAIN);
    for (size_t i = 0; i < report.guards_n; i++)
        report_guard(c, &report.guards[i]);
    run_report_free(&report);
    diff_close(diff);
    err_clear(&e);
}
