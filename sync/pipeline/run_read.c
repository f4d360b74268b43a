/* Decides whether a run reads every row or only those since the watermark. A full read is always right and only slower, so
 * that every doubt ends in one. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/pipeline/watermark.h"

int run_number_setting(struct run *r, const char *name, uint64_t *out, struct err *e)
{
    const char *text;
    *out = 0;
    if (state_get(r->state, name, &text, e) < 0)
        return -1;
    if (text != NULL)
        *out = strtoull(text, NULL, 10);
    return 0;
}

/* Copies a setting into run_arena, because state_get() only lends it until the next call. NULL: it is not set. */
static int keep_setting(struct run *r, const char *name, const char **out, struct err *e)
{
    const char *text;
    *out = NULL;
    if (state_get(r->state, name, &text, e) < 0)
        return -1;
    if (text != NULL)
        *out = arena_dup(&r->run_arena, text, strlen(text));
    return text == NULL || *out != NULL ? 0 : err_oom(e);
}

enum { DIGEST_TEXT_N = 17 };

static const char *digest_text(uint64_t digest, char text[DIGEST_TEXT_N])
{
    snprintf(text, DIGEST_TEXT_N, "%016llx", (unsigned long long)digest);
    return text;
}

int run_is_last_mapping(struct run *r, struct err *e)
{
    char digest[DIGEST_TEXT_N];
    const char *text;
    if (state_get(r->state, "digest", &text, e) < 0)
        return -1;
    return text != NULL && strcmp(text, digest_text(r->m->digest, digest)) == 0;
}

int run_keep_mapping(struct run *r, struct err *e)
{
    char digest[DIGEST_TEXT_N];
    return state_set(r->state, "digest", digest_text(r->m->digest, digest), e);
}

/* *all: an incremental read would miss something. That is so after another mapping made or wrote rows, after rows were given
 * up, and while leads wait to be removed whose rows are missing. */
static int needs_all_rows(struct run *r, bool *all, struct err *e)
{
    static const char *const reasons[] = {STATE_OTHER_MAPPING, STATE_GIVEN_UP, STATE_REMOVALS_LEFT, STATE_OWNERS_UNREAD,
                                          STATE_FULL_STOPPED};
    uint64_t others;
    int same = run_is_last_mapping(r, e);
    if (same < 0 || state_retries_of_others(r->state, r->m->digest, &others, e) < 0)
        return -1;
    *all = same == 0 || others > 0;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        const char *text;
        if (state_get(r->state, reasons[i], &text, e) < 0)
            return -1;
        *all = *all || text != NULL;
    }
    return 0;
}

int run_choose_read(struct run *r, struct source_read *read, struct err *e)
{
    const struct mapping *m = r->m;
    const char *text;
    uint64_t last_full_ms;
    bool all;
    r->read.kind = run_is_partial(r) ? "partial" : "full";
    if (state_get(r->state, STATE_CHECK_FIRST, &text, e) < 0)
        return -1;
    r->read.check_first = text != NULL;
    if (!watermark_used(m) || r->c->full || r->c->remote != RUN_REMOTE_NOT || r->read.check_first || run_is_partial(r))
        return 0;
    if (needs_all_rows(r, &all, e) != 0)
        return -1;
    if (all)
        return 0;
    if (run_number_setting(r, "last_full_ms", &last_full_ms, e) != 0)
        return -1;
    int64_t every = m->source.as.sql.full_every_ms;
    int64_t passed_ms = r->c->clock->wall_ms(r->c->clock) - (int64_t)last_full_ms;
    /* last_full_ms is in the future, because the clock was set back: the age of that read is unknown. */
    if (every > 0 && (passed_ms >= every || passed_ms < 0))
        return 0;
    return keep_setting(r, "watermark", &read->watermark, e) != 0 ||
                   keep_setting(r, "watermark_type", &read->watermark_type, e) != 0
               ? -1
               : 0;
}

void run_report_read(struct run *r, const struct source_read *read)
{
    if (r->source->mark.incremental)
        r->read.kind = "incremental";
    else if (read->watermark != NULL)
        log_notice("%s: the watermark is of type %s and was %s: this run reads everything", r->source->label,
                   r->source->mark.type, read->watermark_type != NULL ? read->watermark_type : "stored without its type");
}
