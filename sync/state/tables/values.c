/* Hashes are keyed with the state's secret, which lies in the same file: they hide values from a casual look, not from
 * a reader with the file and a list of guesses. */
#include "config.h"

#include "sync/state/tables/values.h"

#include "sync/base/text.h"
#include "sync/state/tables/results.h"

#include <string.h>

enum { SHAPES_MAX = 32 << 20, SCRATCH_MAX = 64 << 20, TEXT_MAX = 64 << 20 };

static const char folded_email[] = "email, folded";

/* ---- who ---- */

int who_make(const struct state *s, const struct hash128 *key, struct str key_text, struct arena *arena, struct who *out,
             struct err *e)
{
    const void *bytes = key->b;
    *out = (struct who){{bytes, sizeof key->b}, false};
    if (s->hashed || key_text.n == 0)
        return 0;
    struct hash128 hash = hash_keyed128(s->id.secret, key_text.p, key_text.n);
    if (hash128_eq(&hash, key)) {
        *out = (struct who){key_text, true};
        return 0;
    }
    char *both = arena_alloc(arena, sizeof key->b + key_text.n);
    if (both == NULL)
        return err_oom(e);
    memcpy(both, key->b, sizeof key->b);
    memcpy(both + sizeof key->b, key_text.p, key_text.n);
    out->bytes = (struct str){both, sizeof key->b + key_text.n};
    return 0;
}

int who_take(const struct state *s, sqlite3_stmt *st, int column, struct hash128 *key, struct str *text, struct err *e)
{
    if (sqlite3_column_type(st, column) == SQLITE_TEXT) {
        *text = db_text(st, column);
        *key = hash_keyed128(s->id.secret, text->p, text->n);
        return 0;
    }
    struct str bytes = db_blob(st, column);
    if (bytes.n < sizeof key->b)
        return err_set(e, XS_STATE, "%s: a lead without identity; the file is damaged, restore it from a backup", s->path);
    memcpy(key->b, bytes.p, sizeof key->b);
    *text = (struct str){bytes.p + sizeof key->b, bytes.n - sizeof key->b};
    return 0;
}

/* ---- hashes of values ---- */

void value_hasher_init(struct value_hasher *h, struct state *s)
{
    memset(h, 0, sizeof *h);
    h->state = s;
    arena_init(&h->shapes, SHAPES_MAX);
    arena_init(&h->scratch, SCRATCH_MAX);
    buf_init(&h->text, TEXT_MAX);
}

void value_hasher_free(struct value_hasher *h)
{
    arena_free(&h->shapes);
    arena_free(&h->scratch);
    buf_free(&h->text);
}

static int use_shape(struct value_hasher *h, uint32_t id, struct err *e)
{
    if (h->has_shape && h->shape.id == id)
        return 0;
    h->has_shape = false;
    arena_reset(&h->shapes);
    int rc = state_shape_get(h->state, id, &h->shapes, &h->shape, e);
    if (rc < 0)
        return -1;
    /* A lead without variables may carry a number that was never put. */
    if (rc == 0)
        h->shape = (struct lead_shape){.id = id};
    h->has_shape = true;
    return 0;
}

int value_hasher_unpack(struct value_hasher *h, struct str packed, struct lead *out, struct err *e)
{
    uint32_t shape;
    arena_reset(&h->scratch);
    if (lead_packed_shape(packed, &shape) < 0 || use_shape(h, shape, e) < 0 ||
        lead_unpack(packed, &h->shape, &h->scratch, out) < 0)
        return err_set(e, XS_STATE, "%s: the values of a lead cannot be read; restore the file from a backup",
                       h->state->path);
    return 0;
}

static uint64_t hash_value(const struct state *s, struct str name, const struct value *v, struct buf *text)
{
    char kind = (char)v->kind;
    buf_reset(text);
    /* Short of memory, two values look different: the row is looked at again, nothing worse. */
    if (buf_add_str(text, name) < 0 || buf_addc(text, kind) < 0 || buf_add(text, v->p, v->n) < 0)
        return 0;
    return hash_keyed64(s->id.secret, text->p, text->n);
}

static int add_hash(struct buf *out, uint64_t hash)
{
    unsigned char bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(hash >> (56 - 8 * i));
    return buf_add(out, bytes, sizeof bytes);
}

uint64_t values_email_hash(const struct state *s, struct str folded)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    struct value v = {VALUE_STRING, folded.p, folded.n};
    uint64_t hash = hash_value(s, str_from(folded_email), &v, &text);
    buf_free(&text);
    return hash;
}

int value_hasher_pack(struct value_hasher *h, struct str packed, struct buf *out, struct err *e)
{
    struct lead lead;
    if (value_hasher_unpack(h, packed, &lead, e) < 0)
        return -1;
    int failed = 0;
    for (int i = 0; i < LEAD_FIELD_N; i++)
        if (lead.core[i].kind != VALUE_ABSENT)
            failed |= add_hash(out, hash_value(h->state, str_from(lead_field_table[i].api), &lead.core[i], &h->text));
    for (size_t i = 0; i < lead.shape->custom_n; i++) {
        /* A variable may be called as a field is. */
        struct str name = lead.shape->custom_names[i];
        if (lead.custom[i].kind != VALUE_ABSENT)
            failed |= add_hash(out, hash_value(h->state, name, &lead.custom[i], &h->text) ^ 1);
    }
    if (lead_has_email(&lead)) {
        struct buf folded = BUF_INIT(TEXT_MAX);
        const struct value *email = &lead.core[LEAD_EMAIL];
        failed |= text_fold(str_trim((struct str){email->p, email->n}), &folded);
        failed |= add_hash(out, values_email_hash(h->state, buf_str(&folded)));
        buf_free(&folded);
    }
    return failed == 0 ? 0 : err_oom(e);
}

bool state_hash_at(struct str hashes, size_t i, uint64_t *hash)
{
    if (8 * i + 8 > hashes.n)
        return false;
    *hash = 0;
    for (size_t k = 8 * i; k < 8 * i + 8; k++)
        *hash = *hash << 8 | (unsigned char)hashes.p[k];
    return true;
}

bool values_have_hash(struct str hashes, uint64_t hash)
{
    uint64_t v;
    for (size_t i = 0; state_hash_at(hashes, i, &v); i++)
        if (v == hash)
            return true;
    return false;
}

bool state_value_unchanged(const struct state *s, struct str hashes, const char *field, bool custom, const struct value *v)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    uint64_t hash = hash_value(s, str_from(field), v, &text);
    buf_free(&text);
    return values_have_hash(hashes, custom ? hash ^ 1 : hash);
}

uint64_t state_address_hash(const struct state *s, struct str email)
{
    struct buf folded = BUF_INIT(TEXT_MAX);
    uint64_t hash = text_fold(str_trim(email), &folded) < 0 ? 0 : values_email_hash(s, buf_str(&folded));
    buf_free(&folded);
    return hash;
}

bool state_address_unchanged(const struct state *s, struct str hashes, struct str email)
{
    uint64_t hash = state_address_hash(s, email);
    /* Short of memory it is taken for the same: nothing is done about it then. */
    return hash == 0 || values_have_hash(hashes, hash);
}

/* ---- from kept to hashed ---- */

int values_are_hashed(struct state *s, const struct hash128 *key, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT flags FROM leads WHERE key = ?", "k", key);
    if (rc != 1)
        return rc;
    int hashed = (sqlite3_column_int64(st, 0) & KNOWN_HASHED_VALUES) != 0;
    sqlite3_reset(st);
    return hashed;
}

static int hash_lead(struct state *s, struct value_hasher *h, sqlite3_stmt *st, struct buf *out, struct err *e)
{
    struct hash128 key;
    struct str text;
    uint64_t n = (uint64_t)sqlite3_column_int64(st, 0);
    if (who_take(s, st, 1, &key, &text, e) < 0)
        return -1;
    /* A file may have been kept both ways, in turns. */
    int hashed = values_are_hashed(s, &key, e);
    if (hashed != 0)
        return hashed < 0 ? -1 : 0;
    buf_reset(out);
    struct str packed = db_blob(st, 2);
    if (packed.n > 0 && value_hasher_pack(h, packed, out, e) < 0)
        return -1;
    struct str who = {(const char *)key.b, sizeof key.b};
    return db_run(&s->main, e, "UPDATE lead_values SET who = ?, packed = ? WHERE n = ?", "bBu", who, buf_str(out), n) < 0 ||
                   db_run(&s->main, e, "UPDATE leads SET flags = flags | 8 WHERE key = ?", "k", &key) < 0
               ? -1
               : 0;
}

int values_hash_all(struct state *s, struct err *e)
{
    struct value_hasher h;
    struct buf out = BUF_INIT(TEXT_MAX);
    sqlite3_stmt *st;
    uint64_t after = 0;
    int rc;
    value_hasher_init(&h, s);
    while ((rc = db_query(&s->main, &st, e, "SELECT n, who, packed FROM lead_values WHERE n > ? ORDER BY n LIMIT 1", "u",
                          after)) == 1) {
        after = (uint64_t)sqlite3_column_int64(st, 0);
        if (hash_lead(s, &h, st, &out, e) < 0) {
            rc = -1;
            break;
        }
    }
    value_hasher_free(&h);
    buf_free(&out);
    if (rc < 0 || db_exec(&s->main, "DELETE FROM rejects", e) < 0 || results_strip_all(s, e) < 0)
        return -1;
    s->id.hashed = true;
    return identity_store(s, e);
}
