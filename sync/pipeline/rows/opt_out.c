/* Rows by which a person opts out: those that a rule of skip_when matches.
 *
 * A CRM often has two records of one person, and only one of them says that the person opted out. So such a row wins over every
 * other row of the person in the same read, before or after it. The others are left out, and the rule's `then` decides about the
 * existing lead. Rows belong to one person if they have the same row key, or with a `key:` the same address. They wait for the
 * end of the source (opt_out_spool.c). */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include "sync/plan/eligibility.h"

enum { MARK_BITS = 40, DETAIL_MAX = 1 << 20 };

/* A mark holds the row and the number of the value. If the row number is too large, it holds only the value. */
static uint64_t make_mark(const struct run *r, uint64_t row, size_t value)
{
    uint64_t n = mapping_skip_values_n(r->m);
    return row < (UINT64_C(1) << MARK_BITS) / n - 1 ? row * n + value : value;
}

/* Returns the number of the value. */
static size_t read_mark(const struct run *r, uint64_t mark, uint64_t *row)
{
    uint64_t n = mapping_skip_values_n(r->m);
    *row = (mark - 1) / n;
    return (size_t)((mark - 1) % n) + 1;
}

size_t opt_out_rule(const struct run *r, uint64_t mark)
{
    uint64_t row;
    return mapping_skip_value(r->m, read_mark(r, mark, &row)).rule;
}

int opt_out_text(const struct run *r, uint64_t mark, struct buf *out)
{
    uint64_t row;
    size_t value = read_mark(r, mark, &row);
    return buf_adds(out, "skip_when ") | mapping_skip_text(r->m, value, mapping_skip_value(r->m, value).value, out);
}

bool opt_out_removes(const struct run *r, size_t rule)
{
    return !run_is_partial(r) && mapping_skip_then(r->m, rule - 1)->policy != REMOVAL_KEEP;
}

int opt_out_take(struct run *r, const struct mapped *mapped, const struct entry *entry, struct err *e)
{
    struct hash128 address;
    uint64_t mark = make_mark(r, entry->row, mapped->skip_value);
    if (entry->key_text.n > 0 && state_opt_out(r->state, &entry->key, mark, e) != 0)
        return -1;
    return row_address_key(r, ROW_ADDRESS, mapped->email_key, &address) ? state_opt_out(r->state, &address, mark, e) : 0;
}

/* Finds the mark by the row's key, else by its address. In the second case the key is marked too, so that the rule applies to
 * its lead. 1/0/-1 */
static int find_mark(struct run *r, const struct entry *entry, uint64_t *mark, struct err *e)
{
    struct hash128 address;
    int rc = entry->key_text.n > 0 ? state_opted_out(r->state, &entry->key, mark, e) : 0;
    if (rc != 0 || !row_address_key(r, ROW_ADDRESS, entry->email, &address))
        return rc;
    rc = state_opted_out(r->state, &address, mark, e);
    if (rc == 1 && entry->key_text.n > 0 && state_opt_out(r->state, &entry->key, *mark, e) != 0)
        return -1;
    return rc;
}

bool opt_out_entry_removes(struct run *r, const struct entry *entry)
{
    struct err ignored = ERR_INIT;
    uint64_t mark, row;
    bool removes = find_mark(r, entry, &mark, &ignored) == 1 &&
                   opt_out_removes(r, mapping_skip_value(r->m, read_mark(r, mark, &row)).rule);
    err_clear(&ignored);
    return removes;
}

bool opt_out_may_mail(const struct target *target, const struct known_lead *known)
{
    bool removed = (known->flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) != 0;
    return known->has_lead_id && !removed && target != NULL && target->kind == TARGET_CAMPAIGN &&
           lead_status_reason(known->status) == REASON_NONE;
}

/* Adds the lead that stays although its person opts out. Whether the campaign mails it, only Instantly knows. */
static int report_lead(struct run *r, struct entry *entry, size_t value, struct buf *text, struct err *e)
{
    struct known_lead known;
    if (entry->key_text.n == 0 || state_leads_n(r->state) == 0 || opt_out_removes(r, mapping_skip_value(r->m, value).rule))
        return 0;
    arena_reset(&r->known_arena);
    int rc = state_lead_get(r->state, &entry->key, &r->known_arena, &known, e);
    if (rc != 1)
        return rc;
    const struct target *target = run_target(r, known.target);
    if (!opt_out_may_mail(target, &known))
        return 0;
    entry->has_lead_id = true;
    entry->lead_id = known.lead_id;
    return buf_adds(text, "; its lead may be active in ") | target_show(target, text) ? err_oom(e) : 0;
}

/* `row` is the row that opts out. 0: it is this one, or it is not known. */
static int report_rule(struct run *r, struct entry *entry, uint64_t row, size_t value, struct str cell, struct err *e)
{
    struct buf text = BUF_INIT(DETAIL_MAX);
    int bad = row > 0 ? buf_addf(&text, "row %llu opts out by ", (unsigned long long)row) : 0;
    bad |= mapping_skip_text(r->m, value, cell, &text);
    int rc = bad != 0 ? err_oom(e) : report_lead(r, entry, value, &text, e);
    if (rc == 0 && arena_str(&r->row_arena, buf_str(&text), &entry->detail) != 0)
        rc = err_oom(e);
    buf_free(&text);
    return rc;
}

int opt_out_report(struct run *r, const struct mapped *mapped, struct entry *entry, const char **column, struct err *e)
{
    *column = mapping_skip_value(r->m, mapped->skip_value).column;
    return report_rule(r, entry, 0, mapped->skip_value, mapped->skip_cell, e);
}

int opt_out_leave(struct run *r, struct entry *entry, uint32_t target, struct err *e)
{
    uint64_t mark, row;
    if (!state_any_opted_out(r->state))
        return 0;
    int rc = find_mark(r, entry, &mark, e);
    if (rc != 1)
        return rc;
    size_t value = read_mark(r, mark, &row);
    entry->outcome = OUTCOME_SKIPPED;
    entry->reason = REASON_SKIP_WHEN;
    entry->values = STR_NONE;
    if (report_rule(r, entry, row, value, mapping_skip_value(r->m, value).value, e) != 0 ||
        row_plan_leave_out(r, entry, target, NULL, STR_NONE, e) != 0)
        return -1;
    return 1;
}
