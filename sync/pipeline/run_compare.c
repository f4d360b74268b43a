/* Reads what the targets hold, before the first row. And `verify`: a dry run whose decisions become verdicts in place of a diff. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync/base/log.h"
#include "sync/base/stop.h"

enum { PATH_MAX_BYTES = 8192, PROGRESS_US = 100 * 1000 };
enum { GUARD_DELETED_MIN = 10 }; /* Of fewer known leads, any share may be gone. */

int run_compare_step(void *ctx, const struct pages_progress *now, struct err *e)
{
    struct run *r = ctx;
    int64_t at = r->c->clock->mono_us(r->c->clock);
    if (stop_requested() != 0)
        return err_set(
            e, (enum exit_status)(128 + stop_requested()),
            "interrupted while the targets were read; run the same command again within 30 minutes, and it goes on");
    if (r->deadline_us != 0 && at >= r->deadline_us)
        return err_set(e, XS_API,
                       "the time budget ended while the targets were read; run the same command again within "
                       "the hour, and it goes on");
    if (r->c->progress == NULL || at - r->pulse.shown_us < PROGRESS_US)
        return 0;
    struct run_progress progress = {
        .dry = r->diff != NULL,
        .reads_targets = true,
        .leads = now->leads,
        .leads_guessed = state_leads_n(r->state),
        .limit_share = -1,
        .done_share = -1,
    };
    progress.waits = api_waits(r->api, &progress.wait);
    r->pulse.shown_us = at;
    r->c->progress(r->c->ctx, &progress);
    return 0;
}

/* What a file of pages must agree on to be used again: API, key's workspace, targets and fields. */
static int make_origin(const struct run *r, struct buf *out)
{
    char text[TARGET_TEXT_N];
    const char *workspace = r->c->api->workspace;
    int bad = buf_addf(out, "%s\n%s\n%d %d\n", r->c->api->base_url, workspace != NULL ? workspace : "", r->m->has_key,
                       r->c->remote == RUN_REMOTE_PULL);
    for (size_t i = 0; i < r->targets.created_n; i++)
        bad |= buf_addf(out, "%s\n", target_format(&r->targets.v[i].target, text));
    for (size_t c = 0; c < r->m->shape.custom_n; c++)
        bad |= buf_addf(out, "%.*s\n", STR_ARG(r->m->shape.custom_names[c]));
    return bad != 0 || buf_cstr(out) == NULL ? -1 : 0;
}

static int compare_text(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

static uint64_t random_below(uint64_t n)
{
    uint64_t x = 0;
    random_bytes(&x, sizeof x);
    return n > 0 ? x % n : 0;
}

/* Adds the row's address to the sample: the first rows fill it, and each later one takes a place with falling chance. */
static int sample_row(struct run *r, const struct mapped *mapped, struct err *e)
{
    if (mapped->verdict != MAPPED_LEAD)
        return 0;
    if (mapped->email_key.n == 0) {
        r->compare.no_address++;
        return 0;
    }
    uint64_t at = r->compare.sample_of++;
    if (at >= r->c->sample_rows && (at = random_below(at + 1)) >= r->c->sample_rows)
        return 0;
    if (r->compare.sample_n < r->c->sample_rows)
        r->compare.sample_n++;
    free((char *)(uintptr_t)r->compare.sample[at].p);
    char *copy = str_dup(mapped->email_key);
    r->compare.sample[at] = (struct str){copy, mapped->email_key.n};
    return copy != NULL ? 0 : err_oom(e);
}

/* The source is read twice, because the pages come before the rows. */
static int draw_sample(struct run *r, struct err *e)
{
    const struct source_read whole = {.deadline_us = r->deadline_us};
    struct source *source = NULL;
    struct mapped mapped;
    struct row row;
    int rc = -1;
    if (r->m->source.kind == SOURCE_CSV && strcmp(r->m->source.as.csv.path, "-") == 0)
        return err_set(e, XS_USAGE, "--sample reads the source twice, which stdin cannot do; name a file");
    r->compare.sample = calloc((size_t)r->c->sample_rows, sizeof *r->compare.sample);
    if (r->compare.sample == NULL)
        return err_oom(e);
    if (source_open(&r->m->source, &whole, r->c->clock, &source, e) == 0) {
        while ((rc = source_next(source, &row, e)) == 1) {
            arena_reset(&r->row_arena);
            if (mapping_apply(r->m, &row, &r->row_arena, &mapped, e) != 0 || sample_row(r, &mapped, e) != 0) {
                rc = -1;
                break;
            }
        }
    }
    source_close(source);
    qsort(r->compare.sample, r->compare.sample_n, sizeof *r->compare.sample, compare_text);
    return rc;
}

bool run_compare_unsampled(const struct run *r, struct str email)
{
    struct buf address = BUF_INIT(PATH_MAX_BYTES);
    bool in = false;
    if (r->compare.sample == NULL)
        return false;
    if (mapping_email_key(email, &address) == 0) {
        struct str key = buf_str(&address);
        in = bsearch(&key, r->compare.sample, r->compare.sample_n, sizeof key, compare_text) != NULL;
    }
    buf_free(&address);
    return !in;
}

static char *path_of_pages(const struct run *r)
{
    struct err ignored = ERR_INIT;
    char *state = run_state_path(r, &ignored), *out = state != NULL ? pages_path(state, &ignored) : NULL;
    free(state);
    err_clear(&ignored);
    return out;
}

/* A target that was emptied, or whose leads no list shows, would look as if each lead had been deleted by hand: the state would
 * leave these people out from then on, and --recreate would create them all again. */
static int guard_deleted_there(struct run *r, struct err *e)
{
    char advice[GUARD_ADVICE_N];
    uint64_t all, missing;
    if (pages_expected(remote_pages(r->compare.remote), &all, &missing, e) != 0)
        return -1;
    if (!guard_judge(r, "deleted_there", &r->m->guards.deleted_there, all >= GUARD_DELETED_MIN, missing, all))
        return 0;
    const struct guard_trip trip = {"deleted_there", "nothing was done", "see `leadsync verify`, ",
                                    "look at the targets in Instantly", guard_advice("deleted_there", missing, all, advice)};
    /* The verdict comes now, because each row that is skipped as deleted is recorded so. */
    return guard_trip(r, &trip, e, "Instantly no longer has %" PRIu64 " of %" PRIu64 " known leads", missing, all) != 0
               ? -1
               : guard_verdict(r, e);
}

int run_compare_start(struct run *r, struct err *e)
{
    if (r->c->remote == RUN_REMOTE_NOT) {
        char *state = r->diff == NULL ? run_state_path(r, e) : NULL;
        int rc = state != NULL ? pages_forget(state, e) : r->diff == NULL ? -1 : 0;
        free(state);
        return rc;
    }
    if (r->api == NULL)
        return err_set(e, XS_KEY, "no API key: set INSTANTLY_API_KEY or give --api-key-file FILE");
    if (r->c->remote == RUN_REMOTE_ADOPT && upload_open_n(r->upload) > 0)
        return err_set(e, XS_STATE, "requests of an earlier run are not settled; run leadsync resume first");
    if (r->c->sample_rows > 0 && draw_sample(r, e) != 0)
        return -1;
    struct buf origin = BUF_INIT(1 << 20);
    char *path = path_of_pages(r);
    r->compare.config = (struct remote_config){
        .state = r->state,
        .api = r->api,
        .clock = r->c->clock,
        .mapping = r->m,
        .targets = &r->targets,
        .path = path,
        .origin = make_origin(r, &origin) == 0 ? origin.p : "",
        .memory_max = r->c->memory_max,
        .has_engagement = r->c->remote == RUN_REMOTE_PULL,
        .step = run_compare_step,
        .ctx = r,
        .sample_addresses = r->compare.sample,
        .sample_n = r->compare.sample_n,
    };
    int rc = remote_open(&r->compare.config, &r->compare.remote, e);
    if (rc == 0 && r->c->remote == RUN_REMOTE_PLAN)
        rc = guard_deleted_there(r, e);
    r->compare.config.path = r->compare.config.origin = NULL;
    /* What this run writes makes the pages old, so that no later call may go on with them. */
    if (rc == 0 && r->diff == NULL && r->c->remote != RUN_REMOTE_PULL)
        pages_hide(remote_pages(r->compare.remote));
    if (rc == 0 && r->c->remote == RUN_REMOTE_VERIFY)
        rc = verify_new(r->compare.remote, r->m, &r->compare.verify, e);
    buf_free(&origin);
    free(path);
    return rc;
}

void run_compare_close(struct run *r)
{
    verify_free(r->compare.verify);
    remote_close(r->compare.remote, !r->compare.used);
    for (size_t i = 0; i < r->compare.sample_n; i++)
        free((char *)(uintptr_t)r->compare.sample[i].p);
    free(r->compare.sample);
    r->compare = (struct run_compare){.remote = NULL};
}

/* ---- verify ---- */

static int plan_and_finish(struct run *r, struct verify **out, struct err *e)
{
    const struct diff_head head = {.sync = r->m->name};
    struct run_compare *c = &r->compare;
    if (diff_head(r->diff, &head, e) != 0 || run_plan_rows(r, e) != 0)
        return -1;
    struct verify_counts *counts = verify_counts(c->verify);
    counts->sample = c->sample_n;
    counts->sample_of = c->sample_of;
    counts->no_address = c->no_address;
    bool whole = c->sample == NULL && !run_is_partial(r) && !r->report->source_changed;
    for (size_t i = 0; i < r->targets.n; i++)
        verify_name(c->verify, &r->targets.v[i].target, i < r->targets.mapped_n);
    verify_names_of(c->verify, r->state);
    if (verify_finish(c->verify, &c->config, whole, e) != 0)
        return -1;
    *out = c->verify;
    verify_take(c->verify);
    c->verify = NULL;
    c->remote = NULL;
    return 0;
}

int run_verify(const struct run_config *config, struct verify **out, struct run_report *report, struct err *e)
{
    const struct diff_options options = {.format = DIFF_NONE};
    *out = NULL;
    run_report_start(report, config);
    struct run r = {.c = config, .report = report, .tally = &report->tally, .read.kind = "full"};
    if (diff_open(&options, &r.diff, e) != 0)
        return -1;
    int rc = run_open(&r, e);
    if (rc == 0)
        rc = plan_and_finish(&r, out, e);
    struct diff *diff = r.diff;
    run_fill_report(&r);
    run_close(&r);
    diff_close(diff);
    return rc;
}
