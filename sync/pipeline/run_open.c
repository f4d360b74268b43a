/* Opens what a run needs before its first row: source, targets, state, lock. Checks that cost nothing and fail most often come
 * first, and nothing is created for a run that cannot start. */
#include "config.h"

#include "sync/pipeline/run_int.h"
#include "sync/pipeline/rows/conflicting_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync/base/file.h"
#include "sync/base/log.h"
#include "sync/api/http/url.h"
#include "sync/pipeline/source_bind.h"
#include "sync/pipeline/watermark.h"

enum { ARENA_MAX = 64 << 20, RECORD_MAX = 64 << 20, CSV_ROW_BYTES = 100, LEFT_OUT_BYTES = 1 << 16 };

/* resume without a mapping reads back the open requests and settles them by what it finds. This mode leaves what it cannot
 * decide to the next sync. */
static const enum overwrite no_rules[LEAD_FIELD_N];
static const struct mapping no_mapping = {
    .mode = MODE_UPSERT,
    .limits = {.batch = 1000, .settle_ms = 7000, .job_wait_ms = 600000},
    .overwrite = no_rules,
};

static int bind_source(struct run *r, struct err *e)
{
    int rc = source_bind(r->source, r->m, e);
    row_plan_listen(r);
    const struct str *unused;
    size_t n = rc == 0 ? mapping_unused(r->m, &unused) : 0;
    for (size_t i = 0; i < n; i++)
        log_detail("column \"%.*s\" is not used", STR_ARG(unused[i]));
    if (n > 0 && r->m->path == NULL) {
        struct buf list = BUF_INIT(LEFT_OUT_BYTES);
        mapping_unused_text(r->m, &list);
        log_notice("columns that are not sent: %.*s; --all-columns sends them as custom variables", STR_ARG(buf_str(&list)));
        buf_free(&list);
    }
    return rc;
}

static int open_source(struct run *r, const struct source_read *read, struct err *e)
{
    if (r->m->source.kind == SOURCE_COMMAND && r->c->no_exec)
        return err_set(e, XS_CONFIG, "the mapping's source is a command, which --no-exec does not run; leave out --no-exec");
    if (r->c->plan != NULL)
        return run_apply_source(r, e) != 0 ? -1 : bind_source(r, e);
    return source_open(&r->m->source, read, r->c->clock, &r->source, e) != 0 || watermark_judge(r->m, r->source, e) != 0
               ? -1
               : bind_source(r, e);
}

/* A dry run and `adopt` get a client that cannot write (transport_read_only.c). A dry run without a key continues if it
 * needs no name from the API. */
static int open_api(struct run *r, struct err *e)
{
    const struct api_config *given = r->c->api;
    if (given == NULL || given->key == NULL || given->key[0] == '\0') {
        if (r->diff != NULL)
            return 0;
        return err_set(e, XS_KEY, "no API key: set INSTANTLY_API_KEY or give --api-key-file FILE");
    }
    struct api_config config = *given;
    config.read_only = r->diff != NULL || r->c->remote == RUN_REMOTE_ADOPT || r->c->remote == RUN_REMOTE_PULL;
    if (api_new(&config, r->c->transport, r->c->clock, &r->api, e) != 0)
        return -1;
    api_wait_until(r->api, r->deadline_us);
    api_lock_wait(r->api, r->m != NULL ? r->m->limits.job_wait_ms : no_mapping.limits.job_wait_ms);
    return 0;
}

/* Notes the source file in the state, so that commands without a mapping refuse to write their output over it. */
static int note_source_file(struct run *r, struct err *e)
{
    const struct source_spec *spec = &r->m->source;
    const char *known, *path = spec->kind == SOURCE_CSV      ? spec->as.csv.path
                               : spec->kind == SOURCE_SQLITE ? spec->as.sql.url
                                                             : NULL;
    if (r->c->partial_input || r->c->plan != NULL)
        return 0;
    char *full = path != NULL && strcmp(path, "-") != 0 ? realpath(path, NULL) : NULL;
    int rc = state_get(r->state, STATE_SOURCE_FILE, &known, e);
    if (rc == 0 && (known == NULL || full == NULL ? known != full : strcmp(known, full) != 0))
        rc = state_set(r->state, STATE_SOURCE_FILE, full, e);
    free(full);
    return rc;
}

/* Results and rejects of this run are printed with these columns, also when the source has others by then. */
static int put_header(struct run *r, struct err *e)
{
    struct cell *cells = calloc(r->source->columns_n + 1, sizeof *cells);
    if (cells == NULL)
        return err_oom(e);
    for (size_t i = 0; i < r->source->columns_n; i++)
        cells[i] = (struct cell){r->source->columns[i].name.p, r->source->columns[i].name.n, false};
    buf_reset(&r->scratch.cells);
    int rc = cells_pack(cells, r->source->columns_n, &r->scratch.cells) != 0
                 ? err_oom(e)
                 : state_header_put(r->state, r->record.id, buf_str(&r->scratch.cells), r->source->delimiter, e);
    free(cells);
    return rc;
}

/* A refusal is remembered as long as the settings under which it was given stay the same. */
static uint64_t context_of(const struct run *r)
{
    struct buf text = BUF_INIT(1 << 12);
    uint64_t context = 0;
    if (buf_addf(&text, "%d|%s|%d", (int)r->m->dedupe, r->m->blocklist != NULL ? r->m->blocklist : "", (int)r->m->mode) == 0)
        context = hash_keyed64(state_secret(r->state), text.p, text.n);
    buf_free(&text);
    return context;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Finds the newest run that read a source, since resume rejects nothing. 1; 0: there is none; -1 */
static int last_reading_run(struct run *r, uint64_t *id, struct err *e)
{
    struct run_record *runs;
    size_t n, i = 0;
    if (state_runs(r->state, SIZE_MAX, &r->run_arena, &runs, &n, e) != 0)
        return -1;
    while (i < n && runs[i].read[0] == '\0')
        i++;
    *id = i < n ? runs[i].id : 0;
    return i < n;
}

/* --new-rejects-only: loads the hashes of the rows that the last run rejected. */
static int load_old_rejects(struct run *r, struct err *e)
{
    uint64_t last;
    struct results *results;
    int rc = r->c->new_rejects_only ? last_reading_run(r, &last, e) : 0;
    if (rc != 1)
        return rc;
    if (state_results_open(r->state, last, &results, e) != 0)
        return -1;
    size_t cap = 0;
    for (;;) {
        struct entry entry;
        enum op op;
        uint32_t target;
        arena_reset(&r->known_arena);
        rc = state_results_next(results, &r->known_arena, &entry, &op, &target, e);
        if (rc != 1)
            break;
        if (entry.outcome != OUTCOME_REJECTED)
            continue;
        if (r->old_rejects.n == cap) {
            cap = cap == 0 ? 1024 : 2 * cap;
            uint64_t *grown = realloc(r->old_rejects.hashes, cap * sizeof *grown);
            if (grown == NULL) {
                rc = err_oom(e);
                break;
            }
            r->old_rejects.hashes = grown;
        }
        r->old_rejects.hashes[r->old_rejects.n++] = row_plan_reject_hash(r, &entry);
    }
    state_results_close(results);
    if (rc == 0 && r->old_rejects.n > 0)
        qsort(r->old_rejects.hashes, r->old_rejects.n, sizeof *r->old_rejects.hashes, compare_u64);
    return rc;
}

/* Notes a change of the mapping together with the record, before the first intent, so that the next run knows of it even
 * if this one dies. */
static int note_mapping(struct run *r, struct err *e)
{
    int same = r->read.kind == NULL ? 1 : run_is_last_mapping(r, e);
    const char *plan = r->c->plan != NULL ? plan_file_id(r->c->plan) : NULL;
    if (same < 0 || row_key_note(r, e) != 0 || (r->read.kind != NULL && state_set(r->state, STATE_PLAN, plan, e) != 0))
        return -1;
    return same != 0 ? 0 : state_set(r->state, STATE_OTHER_MAPPING, "1", e);
}

/* The record is durable before the first intent. So a run that dies is on record with the rows that it left open. */
static int start_record(struct run *r, struct err *e)
{
    struct run_record last = {.id = 0};
    if (state_run_get(r->state, 0, &r->run_arena, &last, e) < 0 || state_serial(r->state, &r->report->state_serial, e) != 0)
        return -1;
    r->report->has_state_serial = true;
    r->record = (struct run_record){.id = run_results_number(r),
                                    .started_ms = r->report->started_ms,
                                    .status = "running",
                                    .read = r->read.kind,
                                    .mapping = r->read.kind != NULL ? r->m->digest : 0,
                                    .begun = run_begun(r)};
    if (r->record.begun == NULL)
        return err_oom(e);
    if (note_mapping(r, e) != 0 || state_run_start(r->state, &r->record, e) != 0)
        return -1;
    r->report->run = r->record.id;
    /* clang-format off */
    const struct upload_config config = {
        .state = r->state, .api = r->api, .mapping = r->m, .targets = &r->targets, .clock = r->c->clock,
        .tally = r->tally, .run = r->record.id, .stop_reason = REASON_INTERRUPTED,
        .staged = stage_put, .where = lead_location_show, .location_record = lead_location_record, .refused = guard_refused,
        .stepped = run_show_progress,
        .superseded = missing_superseded, .read_whole = missing_read_whole, .wait_for_full = row_address_wait_for_full, .reidentified = r->change.meets_other_keys, .ctx = r,
        .promote = r->targets.n > 0 ? r->targets.v[0].number : 0, .stage_list = stage_list(r),
        .settle_run = r->c->resume_run, .check_first = r->read.last_full_rows == 0 || r->read.check_first,
        .known_until_ms = last.finished_ms != 0 ? last.finished_ms : r->record.started_ms,
    };
    /* clang-format on */
    if (upload_new(&config, &r->upload, e) != 0)
        return -1;
    upload_deadline(r->upload, r->deadline_us);
    return 0;
}

static int start_lookups(struct run *r, struct err *e)
{
    const struct lookup_options options = {
        .refusal_context = r->refusal_context,
        .refusals_since_ms = r->c->clock->wall_ms(r->c->clock) - r->m->retry_refused_ms,
        .ignore_refusals = r->c->full,
        .rows_hint = r->source != NULL ? r->source->bytes_total / CSV_ROW_BYTES : 0,
    };
    return state_lookup_start(r->state, &options, e);
}

void run_init(struct run *r)
{
    arena_init(&r->row_arena, ARENA_MAX);
    arena_init(&r->known_arena, ARENA_MAX);
    arena_init(&r->run_arena, ARENA_MAX);
    buf_init(&r->scratch.values, RECORD_MAX);
    buf_init(&r->scratch.text, RECORD_MAX);
    buf_init(&r->guards.tripped, RECORD_MAX);
    buf_init(&r->guards.warnings, RECORD_MAX);
    buf_init(&r->scratch.cells, RECORD_MAX);
    r->started_us = r->c->clock->mono_us(r->c->clock);
    r->deadline_us = r->c->max_ms > 0 ? r->started_us + r->c->max_ms * 1000 : 0;
}

/* Opens the state and reads its settings, once targets and names are known. */
static int open_memory(struct run *r, struct err *e)
{
    struct source_read read = {.deadline_us = r->deadline_us};
    if (run_state_open(r, e) != 0 || targets_number(&r->targets, r->state, r->c->accept_target, e) != 0 ||
        run_state_workspace(r, e) != 0 || run_state_lists(r, e) != 0 || run_target_check(r, e) != 0 ||
        row_key_check(r, e) != 0 || run_choose_read(r, &read, e) != 0 ||
        state_patch_effect(r->state, &r->dry.patch, e) != 0 ||
        run_number_setting(r, "last_full_rows", &r->read.last_full_rows, e) != 0)
        return -1;
    if (r->source == NULL && open_source(r, &read, e) != 0)
        return -1;
    run_report_read(r, &read);
    if (conflicting_rows_start(r, e) != 0)
        return -1;
    if (state_shape_put(r->state, r->m->shape.custom_names, r->m->shape.custom_n, &r->m->shape.id, e) != 0)
        return -1;
    r->scratch.custom_changed = calloc(r->m->shape.custom_n + 1, sizeof *r->scratch.custom_changed);
    r->dry.creates_by_target = calloc(r->targets.n, sizeof *r->dry.creates_by_target);
    if (r->scratch.custom_changed == NULL || r->dry.creates_by_target == NULL)
        return err_oom(e);
    r->rules = (struct plan_rules){r->m->mode, r->m->overwrite, r->c->recreate, r->m->has_key, stage_list(r)};
    r->refusal_context = context_of(r);
    r->report->read = r->read.kind;
    return 0;
}

static int name_report(struct run *r, struct err *e)
{
    r->report->sync = strdup(r->m->name);
    return r->report->sync != NULL ? 0 : err_oom(e);
}

/* Names the sync. For a CSV without a mapping the name contains the target's id. */
static int name_sync(struct run *r, const char *target_id, struct err *e)
{
    if (r->opening.named)
        return 0;
    r->opening.named = true;
    return r->m->path == NULL && mapping_name_target(r->m, target_id, e) != 0 ? -1 : name_report(r, e);
}

int run_open(struct run *r, struct err *e)
{
    run_init(r);
    r->m = r->c->mapping;
    /* Name the sync as early as possible, so that monitoring gets the same name however far the run gets. */
    struct uuid given;
    if ((r->m->path != NULL || uuid_parse(str_from(r->m->target.text), &given) == 0) &&
        name_sync(r, r->m->target.text, e) != 0)
        return -1;
    /* Open a CSV first: a missing file is reported without a network. */
    const struct source_read whole = {.deadline_us = r->deadline_us};
    if (r->m->source.kind == SOURCE_CSV && open_source(r, &whole, e) != 0)
        return -1;
    if (open_api(r, e) != 0 || run_state_early(r, e) != 0 ||
        targets_find(&r->targets, r->m, r->api, r->diff == NULL || r->dry.asks, e) != 0)
        return -1;
    /* People decide by it; a nightly run goes by the campaign's status. */
    if (r->api != NULL && (r->diff != NULL || r->c->consent != NULL) && targets_ask_sending(&r->targets, r->api, e) != 0)
        return -1;
    char id[UUID_TEXT_N];
    if (name_sync(r, uuid_format(&r->targets.v[0].target.id, id), e) != 0)
        return -1;
    if (open_memory(r, e) != 0 || unused_columns_report(r, e) != 0 ||
        (r->c->opened != NULL && r->c->opened(r->c->ctx, r->state, r->m, e) != 0))
        return -1;
    if (r->diff == NULL) {
        if (r->c->plan != NULL && run_apply_check(r, e) != 0)
            return -1;
        if (load_old_rejects(r, e) != 0 || start_record(r, e) != 0 || note_source_file(r, e) != 0 || put_header(r, e) != 0 ||
            upload_settle_open(r->upload, e) != 0 || state_merge(r->state, r->refusal_context, e) != 0)
            return -1;
    }
    return start_lookups(r, e) != 0 || run_compare_start(r, e) != 0 ? -1 : guard_spool_start(r, e);
}

/* Rows of the lost journal may or may not have reached Instantly, so none of them counts as done. */
static int give_up_journal(struct run *r, struct err *e)
{
    if (!r->c->journal_lost)
        return 0;
    if (!state_journal_is_lost(r->state)) {
        log_notice("the state's journal is not missing; --journal-lost has no effect");
        return 0;
    }
    log_warning("continuing without the journal: the next sync reads the whole source, and searches for leads without an "
                "address before it creates them");
    return state_journal_give_up(r->state, e) != 0 || state_set(r->state, STATE_CHECK_FIRST, "1", e) != 0
               ? -1
               : state_commit(r->state, e);
}

/* Refuse an unknown run number, which would settle nothing and look like success. */
static int check_run(struct run *r, struct err *e)
{
    struct run_record run;
    int rc = r->c->resume_run == 0 ? 1 : state_run_get(r->state, r->c->resume_run, &r->run_arena, &run, e);
    if (rc == 0)
        return err_set(e, XS_USAGE, "sync \"%s\" has no run %llu; leadsync status lists its runs", r->report->sync,
                       (unsigned long long)r->c->resume_run);
    return rc > 0 ? 0 : -1;
}

int run_open_for_resume(struct run *r, struct err *e)
{
    static struct mapping copy; /* never written: const in all but type */
    run_init(r);
    copy = no_mapping;
    if (open_api(r, e) != 0)
        return -1;
    r->m = r->c->mapping;
    if (r->m != NULL && r->m->path == NULL) {
        char id[UUID_TEXT_N];
        if (run_state_early(r, e) != 0 || targets_find(&r->targets, r->m, r->api, false, e) != 0 ||
            mapping_name_target(r->m, uuid_format(&r->targets.v[0].target.id, id), e) != 0)
            return -1;
    }
    targets_free(&r->targets);
    arena_init(&r->targets.arena, 16 << 20);
    if (run_state_open(r, e) != 0)
        return -1;
    if (r->m == NULL)
        r->m = &copy;
    r->report->sync = strdup(state_sync(r->state) != NULL ? state_sync(r->state) : "");
    if (r->report->sync == NULL)
        return err_oom(e);
    r->refusal_context = context_of(r);
    if (check_run(r, e) != 0 || run_state_workspace(r, e) != 0 || give_up_journal(r, e) != 0)
        return -1;
    return start_record(r, e);
}

int run_open_for_pull(struct run *r, struct err *e)
{
    char id[UUID_TEXT_N];
    struct uuid given;
    run_init(r);
    r->m = r->c->mapping;
    if ((r->m->path != NULL || uuid_parse(str_from(r->m->target.text), &given) == 0) &&
        name_sync(r, r->m->target.text, e) != 0)
        return -1;
    if (open_api(r, e) != 0 || run_state_early(r, e) != 0 || targets_find(&r->targets, r->m, r->api, true, e) != 0 ||
        name_sync(r, uuid_format(&r->targets.v[0].target.id, id), e) != 0 || run_state_open(r, e) != 0 ||
        targets_number(&r->targets, r->state, r->c->accept_target, e) != 0 || run_state_workspace(r, e) != 0 ||
        run_state_lists(r, e) != 0)
        return -1;
    /* What a run that was killed has settled counts, too. What is still open stays so. */
    r->refusal_context = context_of(r);
    return state_merge(r->state, r->refusal_context, e) != 0 ? -1 : start_lookups(r, e);
}

void run_close(struct run *r)
{
    if (r->m != NULL && r->m->key_known_ctx == r)
        r->m->key_known = NULL;
    upload_free(r->upload);
    lead_location_close(r);
    refused_before_close(r);
    odd_cells_free(&r->read.odd_cells);
    spool_free(r->spools.guard);
    spool_free(r->spools.dedupe);
    spool_free(r->spools.opt_out);
    spool_free(r->spools.moves);
    spool_free(r->spools.removals);
    missing_free(r);
    conflicting_rows_free(r);
    api_free(r->api);
    run_compare_close(r);
    source_close(r->source);
    run_state_close(r);
    targets_free(&r->targets);
    arena_free(&r->row_arena);
    arena_free(&r->known_arena);
    arena_free(&r->run_arena);
    buf_free(&r->scratch.values);
    buf_free(&r->scratch.text);
    buf_free(&r->guards.tripped);
    buf_free(&r->guards.warnings);
    buf_free(&r->scratch.cells);
    free(r->scratch.custom_changed);
    free(r->dry.creates_by_target);
    free(r->dry.move_counts);
    dry_payload_free(r);
    free(r->old_rejects.hashes);
}
