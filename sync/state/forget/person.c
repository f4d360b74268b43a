/* Letter case and blanks around an address say nothing; a domain beyond ASCII has two spellings. */
#include "config.h"

#include "sync/state/forget/person.h"

#include "sync/base/text.h"
#include "sync/model/change.h"

#include <stdlib.h>
#include <string.h>

enum { EMAIL_MAX = 64 << 10 };

int person_init(struct person *p, struct state *s, const struct person_name *name, struct err *e)
{
    struct str address = str_trim(name->address), unicode = str_trim(name->unicode);
    *p = (struct person){.state = s, .key = hash_keyed128(s->id.secret, address.p, address.n)};
    buf_init(&p->folded, EMAIL_MAX);
    buf_init(&p->unicode, EMAIL_MAX);
    buf_init(&p->scratch, BLOB_BYTES_MAX);
    value_hasher_init(&p->hasher, s);
    if (text_fold(address, &p->folded) < 0 || text_fold(unicode, &p->unicode) < 0)
        return err_oom(e);
    if (p->folded.n == 0)
        return err_set(e, XS_USAGE, "the address is empty; give the address of a person");
    p->hash = values_email_hash(s, buf_str(&p->folded));
    return 0;
}

void person_free(struct person *p)
{
    buf_free(&p->folded);
    buf_free(&p->unicode);
    buf_free(&p->scratch);
    value_hasher_free(&p->hasher);
    free(p->ids);
}

static int fold(struct person *p, struct str text, struct err *e)
{
    buf_reset(&p->scratch);
    return text_fold(text, &p->scratch) < 0 ? err_oom(e) : 0;
}

int person_is_text(struct person *p, struct str text, bool *same, struct err *e)
{
    if (fold(p, str_trim(text), e) < 0)
        return -1;
    struct str folded = buf_str(&p->scratch);
    *same = str_eq(folded, buf_str(&p->folded)) || (p->unicode.n > 0 && str_eq(folded, buf_str(&p->unicode)));
    return 0;
}

/* A byte that goes on with the local part before it, or with the domain after it. */
static bool joins(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 || strchr("_+-%", c) != NULL;
}

static bool stands_alone(struct str text, const char *at, size_t n)
{
    const char *end = text.p + text.n, *after = at + n;
    if (at > text.p && (joins(at[-1]) || at[-1] == '.'))
        return false;
    return after == end || !(joins(*after) || (*after == '.' && after + 1 < end && joins(after[1])));
}

static bool holds(struct str text, struct str address)
{
    for (const char *at; (at = str_find(text, address)) != NULL;) {
        if (stands_alone(text, at, address.n))
            return true;
        text.n -= (size_t)(at + 1 - text.p);
        text.p = at + 1;
    }
    return false;
}

int person_named_in(struct person *p, struct str text, bool *in, struct err *e)
{
    *in = false;
    if (text.n == 0)
        return 0;
    if (fold(p, text, e) < 0)
        return -1;
    *in = holds(buf_str(&p->scratch), buf_str(&p->folded)) || holds(buf_str(&p->scratch), buf_str(&p->unicode));
    return 0;
}

/* Cell by cell: the bytes between packed cells could look like a part of an address. */
int person_in_cells(struct person *p, struct str packed, bool *in, struct err *e)
{
    const char *at = packed.p, *end = packed.n > 0 ? packed.p + packed.n : packed.p;
    struct cell cell;
    int rc;
    *in = false;
    while (!*in && (rc = cells_next(&at, end, &cell)) != 0)
        if (rc < 0)
            return person_named_in(p, packed, in, e);
        else if (person_named_in(p, (struct str){cell.p, cell.n}, in, e) < 0)
            return -1;
    return 0;
}

static int in_value(struct person *p, const struct value *v, bool *in, struct err *e)
{
    return *in || v->kind != VALUE_STRING ? 0 : person_named_in(p, (struct str){v->p, v->n}, in, e);
}

/* Value by value, for the same reason. */
int person_in_changes(struct person *p, struct str list, bool *in, struct err *e)
{
    const char *at = list.p, *end = list.n > 0 ? list.p + list.n : list.p;
    struct change change;
    int rc;
    *in = false;
    if (change_is_text(list))
        return person_named_in(p, list, in, e);
    while (!*in && (rc = change_next(&at, end, &change)) != 0)
        if (rc < 0)
            return person_named_in(p, list, in, e);
        else if (in_value(p, &change.before, in, e) < 0 || in_value(p, &change.after, in, e) < 0)
            return -1;
    return 0;
}

int person_is_packed(struct person *p, struct str packed, bool *same, struct err *e)
{
    struct lead lead;
    *same = false;
    if (packed.n == 0)
        return 0;
    if (value_hasher_unpack(&p->hasher, packed, &lead, e) < 0)
        return -1;
    const struct value *email = &lead.core[LEAD_EMAIL];
    return email->kind == VALUE_STRING ? person_is_text(p, (struct str){email->p, email->n}, same, e) : 0;
}

int person_is_lead(struct person *p, sqlite3_stmt *st, struct hash128 *key, bool *same, struct err *e)
{
    struct str text, packed = db_blob(st, 2);
    int hashed;
    if (who_take(p->state, st, 1, key, &text, e) < 0 || (hashed = values_are_hashed(p->state, key, e)) < 0)
        return -1;
    *same = hash128_eq(key, &p->key);
    if (!*same && text.n > 0 && person_is_text(p, text, same, e) < 0)
        return -1;
    if (!*same && hashed == 1)
        *same = values_have_hash(packed, p->hash);
    return *same || hashed == 1 ? 0 : person_is_packed(p, packed, same, e);
}

int person_add_id(struct person *p, const struct uuid *id, struct err *e)
{
    if (person_has_id(p, id))
        return 0;
    struct uuid *grown = reallocarray(p->ids, p->ids_n + 1, sizeof *grown);
    if (grown == NULL)
        return err_oom(e);
    p->ids = grown;
    p->ids[p->ids_n++] = *id;
    return 0;
}

bool person_has_id(const struct person *p, const struct uuid *id)
{
    for (size_t i = 0; i < p->ids_n; i++)
        if (uuid_eq(&p->ids[i], id))
            return true;
    return false;
}
