/* The part of `check` that concerns the watermark: rows that an incremental read misses, and rows that a full read misses too. */
#include "config.h"

#include "sync/preflight/check_int.h"

#include <stdlib.h>
#include <string.h>

#include "sync/pipeline/watermark.h"

/* Seconds since 1970 of 1973 and of the year 5138: numbers between them may be times in seconds, and a thousand times as
 * large ones times in milliseconds. */
#define EPOCH_LEAST 1e8
#define EPOCH_LIMIT 1e11
#define DAY_SECONDS 86400.0

enum { AHEAD_MS = 3600 * 1000 }; /* smaller differences between clocks are ignored */

static void report_overlap(struct check *c, const struct source_mark *mark)
{
    const struct sql_spec *sql = &c->m->source.as.sql;
    const char *name = sql->watermark;
    if (mark->overlaps)
        check_report(c, FINDING_OK, "watermark", "%s (%s): a read begins %s before the greatest value that was read", name,
                     mark->type, sql->overlap != NULL ? sql->overlap : "5m");
    else if (mark->kind == MARK_NUMBER)
        check_report(c, FINDING_NOTICE, "watermark",
                     "%s (%s): numbers have no overlap unless overlap: is a number: a row that is "
                     "committed late with a smaller number waits for the next full read",
                     name, mark->type);
    else if (mark->kind == MARK_TEXT)
        check_report(c, FINDING_NOTICE, "watermark",
                     "%s (%s): is compared as text and has no overlap: times that are spelled in "
                     "two ways are missed; cast it to a time or a number",
                     name, mark->type);
    if (mark->excludes_equal && !mark->overlaps)
        check_report(c, FINDING_NOTICE, "watermark",
                     "query: compares %s with > and has no overlap: a row with exactly the value of "
                     "the watermark is missed; write >=, or set overlap:",
                     name);
}

/* A comparison with :watermark never selects rows whose watermark is NULL. */
static void report_nulls(struct check *c, const struct source_mark *mark)
{
    const char *name = c->m->source.as.sql.watermark;
    if (mark->null_rows > 0)
        check_report(c, FINDING_NOTICE, "watermark", "%llu row%s no %s: only full reads see %s",
                     (unsigned long long)mark->null_rows, mark->null_rows == 1 ? " has" : "s have", name,
                     mark->null_rows == 1 ? "it" : "them");
    else if (!mark->may_be_null || mark->reads_nulls)
        return;
    else if (mark->table_nulls > 0)
        check_report(c, FINDING_WARNING, "watermark",
                     "%llu row%s of %s %s no %s: no run reads %s, not even a full one; add "
                     "full_query:, the same columns without :watermark",
                     (unsigned long long)mark->table_nulls, mark->table_nulls == 1 ? "" : "s", mark->table,
                     mark->table_nulls == 1 ? "has" : "have", name, mark->table_nulls == 1 ? "it" : "them");
    else
        check_report(c, FINDING_NOTICE, "watermark",
                     "%s may be NULL: no run would read such a row, not even a full one; add "
                     "full_query:, the same columns without :watermark",
                     name);
}

/* One row in milliseconds among rows in seconds moves the watermark thousands of years ahead of all other rows. */
static void report_future(struct check *c, const struct source_mark *mark)
{
    double now = (double)c->config->clock->wall_ms(c->config->clock) / 1000;
    bool seconds = mark->least < EPOCH_LIMIT;
    if (!mark->has_numbers || mark->least < EPOCH_LEAST || mark->least >= EPOCH_LIMIT * 1000 ||
        mark->greatest < (now + DAY_SECONDS) * (seconds ? 1 : 1000))
        return;
    check_report(c, FINDING_WARNING, "watermark",
                 "%s reaches %.0f: as a time in %s this lies in the future, and rows with smaller "
                 "values are missed until then; correct that row, then run sync --full",
                 c->m->source.as.sql.watermark, mark->greatest, seconds ? "seconds" : "milliseconds");
}

void check_watermark(struct check *c, const struct source *source)
{
    const struct source_mark *mark = &source->mark;
    if (!watermark_used(c->m) || mark->type == NULL)
        return;
    c->mark_type = arena_dup(&c->arena, mark->type, strlen(mark->type));
    report_overlap(c, mark);
    report_nulls(c, mark);
    report_future(c, mark);
    if (c->m->source.as.sql.full_every_ms == 0)
        check_report(c, FINDING_NOTICE, "watermark", "full_every: is never: what a watermark misses waits for sync --full");
}

int check_watermark_stored(struct check *c, struct state *s, struct err *e)
{
    const char *text;
    if (c->mark_type == NULL)
        return 0;
    if (state_get(s, "watermark_ms", &text, e) != 0)
        return -1;
    int64_t ahead_ms = text != NULL ? strtoll(text, NULL, 10) - c->config->clock->wall_ms(c->config->clock) : 0;
    if (ahead_ms > AHEAD_MS)
        check_report(c, FINDING_WARNING, "watermark",
                     "the stored watermark lies %lld h in the future: rows with smaller values are "
                     "missed until then; see that clocks are right, then run sync --full",
                     (long long)(ahead_ms / AHEAD_MS));
    if (state_get(s, "watermark", &text, e) != 0)
        return -1;
    if (text == NULL)
        return 0;
    if (state_get(s, "watermark_type", &text, e) != 0)
        return -1;
    if (text == NULL || strcmp(text, c->mark_type) != 0)
        check_report(c, FINDING_NOTICE, "watermark", "the stored watermark %s%s: the next sync reads everything",
                     text != NULL ? "is of type " : "has no type", text != NULL ? text : "");
    return 0;
}
