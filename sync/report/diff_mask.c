/* --mask: a diff for circulation. Every event is replaced by a copy without what a person could be recognised by, before a format sees
 * it, so no format can forget to mask.
 *
 * A value becomes a hash of itself, keyed with the state's secret: the same value has the same mask, and a reader who guesses a value
 * cannot test the guess. An address keeps its two parts, so that rows of one company still show. Free text (details, warnings) can
 * quote cells in any way, so it is not searched for values: it is replaced by a sentence that has none. */
#include "config.h"

#include "sync/report/diff_format.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/text.h"

enum { MASK_MAX = 64 << 20, MASK_HEX = 12, DOMAIN_HEX = 8, MASK_TEXT_N = 64 };

#define MASKED "masked-"

/* "masked-3f9a1c77ab12". Addresses are compared folded, as everywhere; of other values case can be the change. */
static int add_mask(const struct diff *d, struct str value, bool folded, size_t hex, struct buf *out)
{
    struct buf text = BUF_INIT(MASK_MAX);
    int bad = folded ? text_fold(value, &text) : buf_add(&text, value.p, value.n);
    if (bad == 0) {
        struct hash128 hash = hash_keyed128(d->masked.secret, text.p, text.n);
        bad = buf_adds(out, MASKED);
        for (size_t i = 0; i < hex / 2; i++)
            bad |= buf_addf(out, "%02x", hash.b[i]);
    }
    buf_free(&text);
    return bad;
}

static bool is_address(struct str s, size_t *at)
{
    const char *p = memchr(s.p, '@', s.n);
    *at = p != NULL ? (size_t)(p - s.p) : 0;
    return p != NULL && memchr(p + 1, '@', s.n - *at - 1) == NULL && memchr(s.p, ' ', s.n) == NULL;
}

/* Empty text stays empty. 0/-1 */
static int mask_text(struct diff *d, struct str in, struct str *out)
{
    struct buf text = BUF_INIT(MASK_TEXT_N);
    size_t at;
    if (in.n == 0) {
        *out = in;
        return 0;
    }
    bool address = is_address(in, &at);
    int bad = add_mask(d, in, address, MASK_HEX, &text);
    if (address)
        bad |= buf_addc(&text, '@') | add_mask(d, (struct str){in.p + at + 1, in.n - at - 1}, true, DOMAIN_HEX, &text);
    bad |= arena_str(&d->masked.arena, buf_str(&text), out);
    buf_free(&text);
    return bad;
}

/* Yes and no alone identify no person. A number becomes text, so that it cannot pass for one. */
static int mask_value(struct diff *d, struct value *v)
{
    struct str masked;
    if ((v->kind != VALUE_STRING && v->kind != VALUE_NUMBER) || v->n == 0)
        return 0;
    if (mask_text(d, (struct str){v->p, v->n}, &masked) != 0)
        return -1;
    *v = (struct value){VALUE_STRING, masked.p, masked.n};
    return 0;
}

static int mask_lead(struct diff *d, const struct lead *in, struct lead *copy, const struct lead **out)
{
    size_t n = in != NULL && in->shape != NULL && in->custom != NULL ? in->shape->custom_n : 0;
    int bad = 0;
    *out = NULL;
    if (in == NULL)
        return 0;
    *copy = *in;
    for (size_t i = 0; i < LEAD_FIELD_N; i++)
        bad |= mask_value(d, &copy->core[i]);
    if (n > 0 && (copy->custom = arena_calloc(&d->masked.arena, n, sizeof *copy->custom)) == NULL)
        return -1;
    for (size_t i = 0; i < n; i++) {
        copy->custom[i] = in->custom[i];
        bad |= mask_value(d, &copy->custom[i]);
    }
    *out = copy;
    return bad;
}

/* The rule's number is all that is kept of a text that can quote cells. */
static int mask_detail(struct diff *d, const struct entry *in, struct str *out)
{
    unsigned rule;
    char text[MASK_TEXT_N];
    if (in->detail.n == 0 || str_is(in->detail, DIFF_NO_ROW)) {
        *out = in->detail;
        return 0;
    }
    snprintf(text, sizeof text, "%.*s", (int)(in->detail.n < 16 ? in->detail.n : 16), in->detail.p);
    if (sscanf(text, "rule %u:", &rule) == 1)
        snprintf(text, sizeof text, "rule %u", rule);
    else
        *text = '\0';
    *out = in->reason != REASON_NONE && *text == '\0' ? str_from(reason_help(in->reason)) : STR_NONE;
    return *text == '\0' ? 0 : arena_str(&d->masked.arena, str_from(text), out);
}

/* The id of a lead finds its person in Instantly, so it goes, too. */
static int mask_entry(struct diff *d, const struct entry *in)
{
    struct entry *out = &d->masked.entry;
    /* clang-format off */
    *out = (struct entry){.row = in->row, .line = in->line, .staged = in->staged, .outcome = in->outcome, .reason = in->reason};
    /* clang-format on */
    return mask_text(d, in->key_text, &out->key_text) | mask_text(d, in->email, &out->email) |
           mask_detail(d, in, &out->detail);
}

int diff_mask_change(struct diff *d, struct diff_change *c)
{
    arena_reset(&d->masked.arena);
    int bad = mask_entry(d, c->entry);
    c->entry = &d->masked.entry;
    return bad | mask_lead(d, c->old_lead, &d->masked.leads[0], &c->old_lead) |
           mask_lead(d, c->new_lead, &d->masked.leads[1], &c->new_lead);
}

int diff_mask_left_out(struct diff *d, struct diff_left_out *l)
{
    arena_reset(&d->masked.arena);
    int bad = mask_entry(d, l->entry) | mask_text(d, l->value, &l->value);
    l->entry = &d->masked.entry;
    return bad;
}

int diff_mask_head(struct diff *d, struct err *e)
{
    arena_init(&d->masked.arena, MASK_MAX);
    if (d->options.match != NULL)
        d->options.match = "(masked)";
    if (d->head.secret != NULL) {
        memcpy(d->masked.secret, d->head.secret, sizeof d->masked.secret);
        return 0;
    }
    if (random_bytes(d->masked.secret, sizeof d->masked.secret) != 0)
        return err_errno(e, XS_IO, errno, "cannot get random bytes for --mask");
    return 0;
}

int diff_mask_warnings(struct diff *d)
{
    static char instead[] = "(masked: standard error has it)";
    const struct diff_warnings *all = d->options.warnings;
    if (all == NULL || all->n == 0)
        return 0;
    d->masked.warnings = (struct diff_warnings){calloc(all->n, sizeof *all->v), all->n};
    if (d->masked.warnings.v == NULL)
        return -1;
    for (size_t i = 0; i < all->n; i++)
        d->masked.warnings.v[i] = instead;
    d->options.warnings = &d->masked.warnings;
    return 0;
}

void diff_mask_free(struct diff *d)
{
    arena_free(&d->masked.arena);
    free(d->masked.warnings.v);
}
