/* The row key, and what happens when the mapping's `key:` changes. Then no row finds its lead by key. Each row finds its lead in
 * Instantly instead, and takes it over. Until all rows have done so, no lead counts as missing. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <string.h>

#include "sync/base/log.h"

enum { IDENTITY_MAX = 1 << 20 };

/* The setting of a state whose leads may have keys of several mappings. It differs from every identity(). */
static const char MIXED[] = "several keys";

/* "email", or the columns of `key:`. NULL: out of memory. */
static const char *identity(const struct run *r, struct buf *text)
{
    struct str column;
    int rc = r->m->has_key ? 0 : buf_adds(text, "email");
    for (size_t i = 0; rc == 0 && mapping_key_column(r->m, i, &column); i++)
        rc = buf_adds(text, i == 0 ? "key " : ", ") != 0 || buf_add(text, column.p, column.n) != 0 ? -1 : 0;
    return rc == 0 ? buf_cstr(text) : NULL;
}

/* A row that was missing, or opted out, while the others took over their leads may come back in any later run. If the address is
 * the key, a lead with that address under another key can only be its own. */
static int check_past(struct run *r, struct err *e)
{
    const char *past = NULL;
    int rc = r->m->has_key ? 0 : state_get(r->state, STATE_OTHER_KEYS, &past, e);
    r->change.meets_other_keys = r->change.key || past != NULL;
    return rc < 0 ? -1 : 0;
}

/* Leads sent after the last merge are not counted yet, so the number of leads only decides whether the notice is logged. */
int row_key_check(struct run *r, struct err *e)
{
    struct buf text = BUF_INIT(IDENTITY_MAX);
    const char *then, *now = identity(r, &text);
    int rc = now == NULL ? err_oom(e) : state_get(r->state, "identity", &then, e) < 0 ? -1 : 0;
    r->change.key = rc == 0 && then != NULL && strcmp(then, now) != 0;
    if (r->change.key && state_leads_n(r->state) > 0)
        log_notice("row key changed from %s to %s: in this run each row takes over its lead in "
                   "its target, and no lead counts as missing",
                   then, now);
    if (rc == 0)
        rc = check_past(r, e); /* This ends the loan of `then` from state_get(). */
    buf_free(&text);
    return rc;
}

int row_key_note(struct run *r, struct err *e)
{
    struct buf text = BUF_INIT(IDENTITY_MAX);
    const char *then, *now = r->read.kind != NULL ? identity(r, &text) : NULL;
    int rc = 0;
    if (r->read.kind != NULL)
        rc = now == NULL ? err_oom(e) : state_get(r->state, "identity", &then, e) < 0 ? -1 : 0;
    if (rc == 0 && now != NULL && (then == NULL || r->change.key))
        rc = state_set(r->state, "identity", then == NULL ? now : MIXED, e);
    if (rc == 0 && r->change.key && r->read.kind != NULL)
        rc = state_set(r->state, STATE_OTHER_KEYS, "1", e);
    buf_free(&text);
    return rc;
}

int row_key_keep(struct run *r, struct err *e)
{
    const struct tally *t = r->tally;
    /* Deferred rows have not taken over their leads yet. */
    if (r->change.key && t->outcomes[OUTCOME_FAILED] + t->outcomes[OUTCOME_DEFERRED] > 0)
        return 0;
    struct buf text = BUF_INIT(IDENTITY_MAX);
    const char *now = identity(r, &text);
    int rc = now == NULL ? err_oom(e) : state_set(r->state, "identity", now, e);
    buf_free(&text);
    return rc;
}

static int take_over(struct run *r, const struct entry *entry, const struct hash128 *key, struct arena *arena, struct err *e)
{
    struct known_lead known;
    int rc = hash128_eq(key, &entry->key) ? 0 : state_lead_get(r->state, key, arena, &known, e);
    if (rc != 1 || !known.has_lead_id)
        return rc < 0 ? -1 : 0;
    const struct entry taken = {.key = entry->key,
                                .key_text = entry->key_text,
                                .values = known.values,
                                .outcome = OUTCOME_UNCHANGED,
                                .has_lead_id = true,
                                .lead_id = known.lead_id};
    const struct entry end = entry_note_status(key, REASON_DELETED_THERE);
    if (state_entry_add(r->state, r->record.id, known.target, &taken, e) != 0)
        return -1;
    return state_entry_add(r->state, r->record.id, known.target, &end, e);
}

int row_key_take_over(struct run *r, const struct entry *entry, struct err *e)
{
    struct hash128 key;
    struct arena arena;
    struct buf address = BUF_INIT(IDENTITY_MAX);
    int rc = 0;
    if (!r->change.key || r->diff != NULL)
        return 0;
    arena_init(&arena, IDENTITY_MAX);
    if (mapping_email_key(entry->email, &address) == 0)
        rc = state_person_lead(r->state, buf_str(&address), &key, e);
    if (rc == 1)
        rc = take_over(r, entry, &key, &arena, e);
    buf_free(&address);
    arena_free(&arena);
    return rc;
}
