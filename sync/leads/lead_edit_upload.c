/* Edits by hand go the way of a sync's operations: into the upload, which writes the intent, sends, proves and settles. Here is
 * what an upload needs that a sync takes from its mapping, and the way back from an entry to the lead that was meant. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

enum { TARGETS_ARENA_MAX = 16 << 20, BATCH_LEADS = 1000, STEP_MS = 1000, PACK_MAX = 8 << 20 };

static void lead_edit_settled(void *ctx, uint64_t tag, const struct entry *entry)
{
    struct lead_edit *edit = ctx;
    struct edited_lead *lead = &edit->leads[tag];
    lead->outcome = entry->outcome;
    /* Why a lead was removed is the caller's wish, or the person's status, which the state has. */
    lead->reason = entry->outcome == OUTCOME_REMOVED ? REASON_NONE : entry->reason;
    lead->http_status = entry->http_status;
    if (entry->has_lead_id) {
        lead->has_id = true;
        lead->id = entry->lead_id;
    }
    if (edit->adds_to != NULL && entry->reason == REASON_IN_TARGET) {
        lead->has_place = true;
        lead->place = *edit->adds_to;
    }
    if (edit->moves_to != NULL && entry->outcome == OUTCOME_CHANGED)
        lead->place = *edit->moves_to;
    if (arena_str(&edit->arena, entry->detail, &lead->detail) != 0)
        lead->detail = STR_NONE;
}

/* Appends where a lead is, if its name is known. */
static int lead_edit_where(void *ctx, const struct target *there, struct buf *out)
{
    struct lead_edit *edit = ctx;
    size_t start = out->n;
    if (lead_edit_place_show(edit, there, out) != 0)
        return -1;
    if (target_names_know(&edit->places, there))
        return 1;
    out->n = start;
    return 0;
}

static void lead_edit_location_record(void *ctx, const struct target *named)
{
    struct lead_edit *edit = ctx;
    target_names_add(&edit->places, named);
}

/* Whatever is asked for is written. */
static int lead_edit_rules_for(struct lead_edit *edit, size_t custom_n, struct err *e)
{
    edit->rules.overwrite = arena_calloc(&edit->arena, LEAD_FIELD_N + custom_n, sizeof *edit->rules.overwrite);
    return edit->rules.overwrite != NULL ? 0 : err_oom(e);
}

int lead_edit_shape(struct lead_edit *edit, struct lead *wanted, struct err *e)
{
    edit->rules.shape = *wanted->shape;
    wanted->shape = &edit->rules.shape;
    if (lead_edit_rules_for(edit, wanted->shape->custom_n, e) != 0)
        return -1;
    return state_shape_put(edit->state, wanted->shape->custom_names, wanted->shape->custom_n, &edit->rules.shape.id, e);
}

int lead_edit_pack(struct lead_edit *edit, const struct lead *wanted, struct str *out, struct err *e)
{
    struct buf packed = BUF_INIT(PACK_MAX);
    int rc = lead_pack(wanted, &packed) == 0 && arena_str(&edit->arena, buf_str(&packed), out) == 0 ? 0 : err_oom(e);
    buf_free(&packed);
    return rc;
}

int lead_edit_upload_open(struct lead_edit *edit, struct err *e)
{
    edit->rules = (struct mapping){
        .mode = MODE_CREATE, /* a lead that exists already is left as it is */
        .contacted_move = true,
        .limits = {.batch = BATCH_LEADS, .settle_ms = edit->c.settle_ms, .job_wait_ms = edit->c.job_wait_ms},
    };
    if (lead_edit_rules_for(edit, 0, e) != 0)
        return -1;
    arena_init(&edit->targets.arena, TARGETS_ARENA_MAX);
    /* clang-format off */
    const struct upload_config config = {
        .state = edit->state, .api = edit->api, .mapping = &edit->rules, .targets = &edit->targets, .clock = edit->c.clock,
        .tally = &edit->uploaded, .run = edit->run, .stop_reason = REASON_INTERRUPTED, .settled = lead_edit_settled,
        .where = lead_edit_where, .location_record = lead_edit_location_record, .by_hand = true, .force = edit->c.force,
        .no_wait = edit->c.no_wait, .move_options = &edit->c.move, .ctx = edit, .known_until_ms = edit->started_ms,
    };
    /* clang-format on */
    return upload_new(&config, &edit->upload, e);
}

void lead_edit_upload_close(struct lead_edit *edit)
{
    upload_free(edit->upload);
    edit->upload = NULL;
    targets_free(&edit->targets);
    tally_free(&edit->uploaded);
}

int lead_edit_upload_add(struct lead_edit *edit, struct edited_lead *lead, const struct planned *how, struct err *e)
{
    struct planned planned = *how;
    if (lead_edit_is_forgotten(edit, lead->email, &lead->forgotten, e) != 0)
        return -1;
    const struct entry entry = lead_edit_entry(edit, lead, how->op, how->entry.values);
    planned.entry = entry;
    planned.entry.by_user = how->entry.by_user;
    planned.tag = (uint64_t)(lead - edit->leads);
    while (upload_full(edit->upload))
        if (upload_step(edit->upload, STEP_MS, e) != 0)
            return -1;
    return upload_add(edit->upload, &planned, e);
}

int lead_edit_upload_drain(struct lead_edit *edit, int rc, struct err *e)
{
    struct err late = ERR_INIT;
    if (rc != 0)
        upload_stop(edit->upload, REASON_INTERRUPTED);
    if (upload_drain(edit->upload, &late) != 0 && rc == 0)
        rc = err_set(e, late.status, "%s", err_text(&late));
    err_clear(&late);
    edit->stopped = edit->stopped || (rc == 0 && upload_stopped(edit->upload));
    return rc;
}
