/* `check`: compares the mapping with its source, row by row, and with the state. Checks that need the API are in check_api.c.
 *
 * Each finding is reported at once, because the next check may take long. An error does not end the check, so that the user
 * sees all errors in one run. */
#include "config.h"

#include "sync/preflight/check_int.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/source.h"
#include "sync/base/stop.h"
#include "sync/base/text.h"
#include "sync/api/http/url.h"
#include "sync/pipeline/source_bind.h"
#include "sync/pipeline/watermark.h"
#include "sync/state/state.h"

enum {
    LIST_MAX = 20, /* names in a finding */
    TEXT_BYTES = 64 << 10,
    LOOKUP_BYTES = 64 << 20,
    ROW_BYTES = 64 << 20,
    STATE_BYTES = 32 << 20,
};

/* ---- findings ---- */

void check_report(struct check *c, enum finding_level level, const char *what, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    c->found(c->ctx, &(struct finding){level, what, n < 0 ? "out of memory" : text});
    if (n >= 0)
        free(text);
}

/* Which exit status wins if several apply: first those that a sync would end with, then faults of the mapping. */
static unsigned rank(enum exit_status status)
{
    static const enum exit_status order[] = {XS_CONFIG, XS_SOURCE, XS_NO_SOURCE, XS_API,     XS_KEY,
                                             XS_STATE,  XS_IO,     XS_INTERNAL,  XS_SIGTERM, XS_SIGINT};
    for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++)
        if (order[i] == status)
            return i + 2;
    return status == XS_DONE ? 0 : 1;
}

void check_error(struct check *c, const char *what, struct err *e)
{
    check_report(c, FINDING_ERROR, what, "%s", err_text(e));
    if (rank(e->status) > rank(c->worst.status)) {
        err_clear(&c->worst);
        c->worst = *e;
        *e = (struct err)ERR_INIT;
    }
    err_clear(e);
}

const char *check_list(struct check *c, const struct str *names, size_t n)
{
    int bad = 0;
    buf_reset(&c->text);
    for (size_t i = 0; i < n && i < LIST_MAX; i++)
        bad |= buf_addf(&c->text, "%s%.*s", i > 0 ? ", " : "", STR_ARG(names[i]));
    if (n > LIST_MAX)
        bad |= buf_addf(&c->text, " and %zu more", n - LIST_MAX);
    const char *text = bad == 0 ? buf_cstr(&c->text) : NULL;
    return text != NULL ? text : "";
}

/* ---- mapping and source ---- */

/* An unused column is not an error, but the user may have forgotten it. */
static int bind(struct check *c, struct source *source)
{
    struct err e = ERR_INIT;
    const struct str *unused;
    if (source_bind(source, c->m, &e) != 0) {
        check_error(c, "mapping", &e);
        return -1;
    }
    c->bound = true;
    size_t n = mapping_unused(c->m, &unused);
    check_report(c, FINDING_OK, "mapping", "%s: fits the %zu column%s of %s", c->m->name, source->columns_n,
                 text_plural(source->columns_n), source->label);
    if (n > 0)
        check_report(c, FINDING_NOTICE, "mapping", "%zu column%s not used: %s", n, n == 1 ? " is" : "s are",
                     check_list(c, unused, n));
    return 0;
}

static void count_row(struct check *c, const struct row *row, const struct mapped *mapped)
{
    c->rows++;
    if (mapped->key_text.n == 0 && mapped->skip_value == 0 && c->keyless++ == 0) {
        c->keyless_row = row->number;
        c->keyless_line = row->line;
    }
    switch (mapped->verdict) {
    case MAPPED_LEAD: c->leads++; return;
    case MAPPED_SKIP: c->skipped++; break;
    case MAPPED_REJECT: c->rejected++; break;
    }
    c->reasons[mapped->reason]++;
}

/* Reads and maps every row, and sends nothing. */
static int read_rows(struct check *c, struct source *source, struct err *e)
{
    struct arena scratch;
    struct row row;
    struct mapped mapped;
    int rc;
    arena_init(&scratch, ROW_BYTES);
    while ((rc = source_next(source, &row, e)) == 1) {
        int signo = stop_requested();
        arena_reset(&scratch);
        if (signo != 0)
            rc = err_set(e, signo == SIGINT ? XS_SIGINT : XS_SIGTERM, "interrupted after %llu row%s of %s",
                         (unsigned long long)c->rows, text_plural(c->rows), source->label);
        else
            rc = mapping_apply(c->m, &row, &scratch, &mapped, e);
        if (rc != 0)
            break;
        source_bind_warn(source, &row, &mapped, true);
        count_row(c, &row, &mapped);
        if ((rc = check_values_row(c, &row, &mapped, e)) != 0)
            break;
        if (mapped.verdict == MAPPED_LEAD && (rc = check_count_lead(c, &row, &mapped, e)) != 0)
            break;
    }
    arena_free(&scratch);
    return rc;
}

static void report_rows(struct check *c, const struct source *source)
{
    enum finding_level level = c->rows == 0 || c->rejected > 0 ? FINDING_WARNING : FINDING_OK;
    buf_reset(&c->text);
    int bad = 0;
    const char *before = ": ";
    for (size_t r = REASON_NONE + 1; r < REASON_N; r++)
        if (c->reasons[r] > 0) {
            bad |= buf_addf(&c->text, "%s%s %llu", before, reason_text((enum reason)r), (unsigned long long)c->reasons[r]);
            before = ", ";
        }
    const char *reasons = bad == 0 ? buf_cstr(&c->text) : NULL;
    /* Only a sync looks for other rows of a person that a rule leaves out. */
    bool most = c->reasons[REASON_SKIP_WHEN] > 0;
    check_report(c, level, "source", "%s: %llu row%s, %s%llu become%s, %llu skipped, %llu rejected%s%s%s", source->label,
                 (unsigned long long)c->rows, text_plural(c->rows), most ? "at most " : "", (unsigned long long)c->leads,
                 c->leads == 1 ? "s a lead" : " leads", (unsigned long long)c->skipped, (unsigned long long)c->rejected,
                 reasons != NULL ? reasons : "", c->m->duplicates == DUPLICATES_REJECT ? ", before duplicates" : "",
                 most ? "; leadsync diff has the exact numbers" : "");
    check_values_report(c, source);
    if (source->changed != NULL)
        check_report(c, FINDING_WARNING, "source",
                     "%s: %s while it was read, so rows may be missing or half old: a sync that reads "
                     "such a file removes no lead and ends with 1; run again when its writer is done",
                     source->label, source->changed);
    check_watermark(c, source);
    check_guard_rejected(c);
    check_guard_keyless(c);
    check_count_report(c);
}

static void check_source(struct check *c)
{
    struct err e = ERR_INIT;
    struct source *source = NULL;
    if (c->m->source.kind == SOURCE_COMMAND && c->config->no_exec) {
        err_set(&e, XS_CONFIG, "the mapping's source is a command, which --no-exec does not run; leave out --no-exec");
        check_error(c, "source", &e);
        return;
    }
    const struct source_read read = {.count_nulls = true};
    if (source_open(&c->m->source, &read, c->config->clock, &source, &e) != 0) {
        check_error(c, "source", &e);
        return;
    }
    if (watermark_judge(c->m, source, &e) != 0)
        check_error(c, "mapping", &e);
    if (bind(c, source) == 0) {
        if (check_count_start(c, &e) != 0 || check_values_start(c, source, &e) != 0 || read_rows(c, source, &e) != 0) {
            check_error(c, "source", &e);
        } else {
            c->counted = true;
            report_rows(c, source);
        }
    }
    check_count_stop(c);
    check_values_stop(c);
    source_close(source);
}

/* ---- state ---- */

/* The path of the state. For a CSV without a mapping its name needs the target's id. NULL: the reason was reported, or there
 * is no state to look for. */
static char *state_path(struct check *c, bool sandbox)
{
    struct err e = ERR_INIT;
    char id[UUID_TEXT_N], *path = NULL;
    if (c->m->path == NULL) {
        if (c->target == NULL)
            return NULL;
        if (mapping_name_target(c->m, uuid_format(&c->target->id, id), &e) != 0) {
            check_error(c, "state", &e);
            return NULL;
        }
    }
    path = c->config->state_path != NULL ? strdup(c->config->state_path) : state_default_path(c->m->name, sandbox, &e);
    if (path == NULL) {
        if (e.status == XS_DONE)
            err_oom(&e);
        check_error(c, "state", &e);
    }
    return path;
}

/* Reports target names that now refer to another id, which a sync would refuse. The state is open for reading only. */
static void check_names(struct check *c, struct state *s)
{
    uint32_t number;
    for (const struct check_target *t = c->targets; t != NULL; t = t->next) {
        struct err e = ERR_INIT;
        if (state_target_put(s, &t->target, false, &number, &e) != 0)
            check_error(c, "target", &e);
    }
}

static int look_into(struct check *c, struct state *s, const char *path, struct err *e)
{
    struct arena arena;
    struct run_record last;
    struct batch *open;
    size_t open_n = 0;
    const char *workspace = NULL;
    char at[TIME_TEXT_N];
    int rc = -1;
    arena_init(&arena, STATE_BYTES);
    int had = state_run_get(s, 0, &arena, &last, e);
    if (had < 0 || state_leads_there(s, &c->known_leads, e) != 0 || state_get(s, "workspace", &workspace, e) != 0)
        goto done;
    if (workspace != NULL && c->workspace.id != NULL && strcmp(workspace, c->workspace.id) != 0) {
        err_set(e, XS_CONFIG,
                "%s belongs to workspace %s, the key to %s: use the key of that workspace, or another "
                "state",
                path, workspace, c->workspace.id);
        goto done;
    }
    check_report(c, FINDING_OK, "state", "%s: %llu lead%s known, last run %s%s%s", path, (unsigned long long)c->known_leads,
                 text_plural(c->known_leads), had == 1 ? time_format(last.started_ms, at) : "never", had == 1 ? ", " : "",
                 had == 1 && last.status != NULL ? last.status : "");
    struct patch_effect patch;
    char effect[PATCH_EFFECT_TEXT_N];
    if (state_patch_effect(s, &patch, e) != 0)
        goto done;
    if (patch.variables != PATCH_UNKNOWN)
        check_report(c, FINDING_OK, "state", "a PATCH in this workspace %s", state_patch_effect_text(&patch, effect));
    check_names(c, s);
    if (check_others_hosts(c, s, &arena, e) != 0 || check_guard_source(c, s, e) != 0 ||
        check_watermark_stored(c, s, e) != 0 || state_batches_open(s, &arena, &open, &open_n, e) != 0)
        goto done;
    char *who = state_lock_holder(s);
    if (who != NULL)
        check_report(c, FINDING_NOTICE, "state", "another run of this sync is active (%s) and owns the open batches", who);
    else if (open_n > 0)
        check_report(c, FINDING_NOTICE, "state",
                     "%zu batch%s open from earlier runs: the next sync, or leadsync resume, settles %s first", open_n,
                     open_n == 1 ? " is" : "es are", open_n == 1 ? "it" : "them");
    /* What only the journal has, the state does not know by its id yet. */
    uint64_t unmerged = 0;
    if (state_unmerged_rows(s, &unmerged, e) == 0) {
        rc = 0;
        if (who == NULL && open_n == 0 && unmerged == 0)
            check_others_leads(c, s);
    }
    free(who);
done:
    arena_free(&arena);
    return rc;
}

static void check_state(struct check *c)
{
    struct err e = ERR_INIT;
    struct state *s = NULL;
    struct url url;
    if (url_check(c->config->api->base_url, XS_USAGE, "--api-url", &url, &e) != 0) {
        check_error(c, "state", &e);
        return;
    }
    char *path = state_path(c, url.loopback);
    if (path == NULL) {
        url_free(&url);
        return;
    }
    c->count.other_state = c->count.state_path != NULL && strcmp(path, c->count.state_path) != 0;
    /* clang-format off */
    const struct state_options options = {
        .path = path, .access = STATE_READ, .sync = c->m->name, .api_host = url.loopback ? "loopback" : url.host,
        .values_hashed = c->m->values_hashed, .memory_max = STATE_BYTES, .clock = c->config->clock,
    };
    /* clang-format on */
    int rc = state_open(&options, &s, &e);
    if (rc == 1) {
        check_report(c, FINDING_OK, "state", "%s: does not exist yet; the first sync creates it", path);
        check_others_leads(c, NULL);
    } else if (rc < 0 || look_into(c, s, path, &e) != 0) {
        check_error(c, "state", &e);
    }
    state_close(s);
    url_free(&url);
    free(path);
}

/* ---- plan ---- */

/* Leads that are known need no room. "At most", because Instantly may have others already, or refuse them. If the rows were
 * held against no state, or against another one than that of the target, each lead may be new. */
static void check_plan(struct check *c)
{
    const struct workspace *w = &c->workspace;
    uint64_t fresh = c->count.other_state ? c->leads : c->count.fresh;
    if (c->m->stage.on && c->m->stage.verify)
        check_report(c, FINDING_NOTICE, "stage",
                     "a sync would have %llu new lead%s verified at %s, and each verification "
                     "spends credits",
                     (unsigned long long)fresh, text_plural(fresh), c->counted ? "most" : "least");
    if (w->lead_limit < 0 || w->lead_count < 0)
        return;
    /* The count of a workspace can be above its limit. */
    uint64_t room = w->lead_count < w->lead_limit ? (uint64_t)(w->lead_limit - w->lead_count) : 0;
    bool full = c->counted && fresh > room;
    check_report(c, full ? FINDING_WARNING : FINDING_OK, "plan",
                 "%lld of %lld leads %s in use, room for %llu; a sync would add %llu at %s%s", (long long)w->lead_count,
                 (long long)w->lead_limit, w->lead_count == 1 ? "is" : "are", (unsigned long long)room,
                 (unsigned long long)fresh, c->counted ? "most" : "least",
                 full ? ": what does not fit is deferred (plan_full)" : "");
}

int check_run(const struct run_config *config, void (*found)(void *ctx, const struct finding *finding), void *ctx,
              struct err *e)
{
    struct check c = {.config = config,
                      .m = config->mapping,
                      .found = found,
                      .ctx = ctx,
                      .worst = ERR_INIT,
                      .workspace = {.lead_limit = -1, .lead_count = -1}};
    arena_init(&c.arena, LOOKUP_BYTES);
    buf_init(&c.text, TEXT_BYTES);
    check_source(&c);
    if (stop_requested() == 0)
        check_databases(&c);
    if (stop_requested() == 0)
        check_api(&c);
    check_state(&c);
    if (stop_requested() == 0)
        check_guard_changes(&c);
    check_plan(&c);
    int rc = c.worst.status == XS_DONE ? 0 : err_take(e, &c.worst);
    err_clear(&c.worst);
    api_free(c.api);
    buf_free(&c.text);
    arena_free(&c.arena);
    free(c.count.empty);
    free(c.count.state_path);
    return rc;
}
