/* Small facts: settings, targets, lists of variable names, headers. All of them in the main file; those that a batch
 * refers to by number are committed when they are put, so that no batch can outlive what it refers to. */
#include "config.h"

#include "sync/state/state_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- settings ---- */

int state_get(struct state *s, const char *name, const char **value, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT value FROM settings WHERE name = ?", "z", name);
    *value = NULL;
    if (rc < 0)
        return -1;
    free(s->setting);
    s->setting = NULL;
    if (rc == 1) {
        s->setting = str_dup(db_text(st, 0));
        sqlite3_reset(st);
        if (s->setting == NULL)
            return err_oom(e);
    }
    *value = s->setting;
    return 0;
}

int state_set(struct state *s, const char *name, const char *value, struct err *e)
{
    if (state_write_begin(s, e) < 0)
        return -1;
    if (value == NULL)
        return db_run(&s->main, e, "DELETE FROM settings WHERE name = ?", "z", name);
    return db_run(&s->main, e,
                  "INSERT INTO settings(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                  "zz", name, value);
}

#define PATCH_EFFECT "patch_variables" /* "merges TIME" or "replaces TIME" */
static const char *const patch_words[] = {[PATCH_MERGES] = "merges", [PATCH_REPLACES] = "replaces"};

int state_patch_effect(struct state *s, struct patch_effect *out, struct err *e)
{
    const char *text;
    *out = (struct patch_effect){.variables = PATCH_UNKNOWN};
    if (state_get(s, PATCH_EFFECT, &text, e) != 0)
        return -1;
    for (int v = PATCH_MERGES; text != NULL && v <= PATCH_REPLACES; v++) {
        size_t n = strlen(patch_words[v]);
        if (strncmp(text, patch_words[v], n) == 0 && text[n] == ' ' &&
            time_parse(str_from(text + n + 1), &out->seen_ms) == 0)
            out->variables = (enum patch_variables)v;
    }
    return 0;
}

int state_patch_effect_set(struct state *s, const struct patch_effect *effect, struct err *e)
{
    char text[PATCH_EFFECT_TEXT_N], at[TIME_TEXT_N];
    if (effect->variables == PATCH_UNKNOWN)
        return state_set(s, PATCH_EFFECT, NULL, e);
    snprintf(text, sizeof text, "%s %s", patch_words[effect->variables], time_format(effect->seen_ms, at));
    return state_set(s, PATCH_EFFECT, text, e);
}

const char *state_patch_effect_text(const struct patch_effect *effect, char out[PATCH_EFFECT_TEXT_N])
{
    char at[TIME_TEXT_N];
    if (effect->variables == PATCH_UNKNOWN)
        snprintf(out, PATCH_EFFECT_TEXT_N, "may merge or replace custom variables (not seen yet)");
    else
        snprintf(out, PATCH_EFFECT_TEXT_N, "%s custom variables (seen %s)", patch_words[effect->variables],
                 time_format(effect->seen_ms, at));
    return out;
}

int serial_next(struct state *s, struct err *e)
{
    /* The time and not a count: a restored copy would count to the same numbers again. */
    return db_run(&s->main, e,
                  "INSERT INTO settings(name, value) VALUES('serial', CAST(?1 AS TEXT)) ON CONFLICT(name) DO UPDATE SET"
                  " value = CAST(max(CAST(value AS INTEGER) + 1, ?1) AS TEXT)",
                  "i", s->clock->wall_ms(s->clock));
}

int serial_restore(struct state *s, uint64_t serial, struct err *e)
{
    return serial == 0
               ? db_run(&s->main, e, "DELETE FROM settings WHERE name = 'serial'", "")
               : db_run(&s->main, e, "UPDATE settings SET value = CAST(? AS TEXT) WHERE name = 'serial'", "u", serial);
}

int state_serial(struct state *s, uint64_t *serial, struct err *e)
{
    const char *text;
    if (state_get(s, "serial", &text, e) != 0)
        return -1;
    *serial = text != NULL ? strtoull(text, NULL, 10) : 0;
    return 0;
}

/* ---- targets ---- */

/* The name must not mean another id now. Names are unique among campaigns and among lists as far as one sync uses them.
 */
static int check_name(struct state *s, const struct target *t, bool accept, struct err *e)
{
    sqlite3_stmt *st;
    if (t->name == NULL || t->name[0] == '\0')
        return 0;
    int rc = db_query(&s->main, &st, e, "SELECT id FROM targets WHERE kind = ? AND name = ? AND id <> ?", "izb",
                      (int64_t)t->kind, t->name, (struct str){(const char *)t->id.b, sizeof t->id.b});
    if (rc != 1)
        return rc;
    struct uuid old = {{0}};
    char was[UUID_TEXT_N], is[UUID_TEXT_N];
    db_blob16(st, 0, old.b);
    sqlite3_reset(st);
    if (!accept)
        return err_set(e, XS_CONFIG, "%s \"%s\" used to be %s and is now %s; give --accept-target if this is intended",
                       target_kind_text(t->kind), t->name, uuid_format(&old, was), uuid_format(&t->id, is));
    if (s->access == STATE_READ)
        return 0;
    /* The old one keeps its number and loses the name. */
    if (state_write_begin(s, e) < 0)
        return -1;
    return db_run(&s->main, e, "UPDATE targets SET name = NULL WHERE kind = ? AND name = ? AND id <> ?", "izb",
                  (int64_t)t->kind, t->name, (struct str){(const char *)t->id.b, sizeof t->id.b});
}

/* 1 with number and whether name and status are the same, 0 not known yet. */
static int find_target(struct state *s, const struct target *t, uint32_t *number, bool *same, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT number, name, status FROM targets WHERE kind = ? AND id = ?", "id",
                      (int64_t)t->kind, &t->id);
    if (rc != 1)
        return rc;
    struct str name = db_text(st, 1);
    int status = db_is_null(st, 2) ? TARGET_STATUS_UNKNOWN : sqlite3_column_int(st, 2);
    *number = (uint32_t)sqlite3_column_int64(st, 0);
    /* What was not asked this time is not forgotten. */
    *same = (t->name == NULL || str_is(name, t->name)) && (t->status == TARGET_STATUS_UNKNOWN || t->status == status);
    sqlite3_reset(st);
    return 1;
}

int state_target_put(struct state *s, const struct target *t, bool accept, uint32_t *number, struct err *e)
{
    bool same;
    if (check_name(s, t, accept, e) < 0)
        return -1;
    int rc = find_target(s, t, number, &same, e);
    if (rc < 0)
        return -1;
    if (rc == 1 && (same || s->access == STATE_READ))
        return 0;
    if (s->access == STATE_READ) {
        *number = 0; /* a dry run knows a target that the state has not met */
        return 0;
    }
    if (state_write_begin(s, e) < 0 ||
        db_run(&s->main, e,
               "INSERT INTO targets(kind, id, name, status) VALUES(?1, ?2, ?3, nullif(?4, 1000))"
               " ON CONFLICT(kind, id) DO UPDATE SET name = coalesce(excluded.name, name),"
               " status = coalesce(excluded.status, status)",
               "idzi", (int64_t)t->kind, &t->id, t->name, (int64_t)t->status) < 0 ||
        state_commit(s, e) < 0)
        return -1;
    return find_target(s, t, number, &same, e) == 1 ? 0 : -1;
}

/* Not the name column, which says what a name of the sync's means. */
int state_target_called(struct state *s, const struct target *t, struct err *e)
{
    if (t->name == NULL || s->access == STATE_READ)
        return 0;
    if (state_write_begin(s, e) < 0)
        return -1;
    return db_run(&s->main, e,
                  "INSERT INTO settings(name, value) VALUES('called ' || ?1 || ' ' || hex(?2), ?3)"
                  " ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                  "idz", (int64_t)t->kind, &t->id, t->name) < 0
               ? -1
               : 0;
}

int state_target_get(struct state *s, uint32_t number, struct arena *arena, struct target *out, struct err *e)
{
    sqlite3_stmt *st;
    int rc =
        db_query(&s->main, &st, e,
                 "SELECT kind, id, coalesce(name, (SELECT value FROM settings WHERE settings.name = 'called ' || kind ||"
                 " ' ' || hex(id))), status FROM targets WHERE number = ?",
                 "i", (int64_t)number);
    if (rc != 1)
        return rc;
    memset(out, 0, sizeof *out);
    out->kind = sqlite3_column_int(st, 0) == TARGET_LIST ? TARGET_LIST : TARGET_CAMPAIGN;
    db_blob16(st, 1, out->id.b);
    struct str name = db_text(st, 2);
    if (!db_is_null(st, 2) && (out->name = arena_dup(arena, name.p, name.n)) == NULL)
        rc = err_oom(e);
    out->status = db_is_null(st, 3) ? TARGET_STATUS_UNKNOWN : sqlite3_column_int(st, 3);
    sqlite3_reset(st);
    return rc;
}

/* ---- shapes ---- */

enum { SHAPE_BYTES_MAX = 16 << 20 };

/* 1 with the id, 0 not known. */
static int find_shape(struct state *s, struct str packed, uint32_t *id, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT id FROM shapes WHERE names = ?", "b", packed);
    if (rc != 1)
        return rc;
    *id = (uint32_t)sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 1;
}

int state_shape_put(struct state *s, const struct str *names, size_t n, uint32_t *id, struct err *e)
{
    struct buf packed = BUF_INIT(SHAPE_BYTES_MAX);
    int result = -1;
    *id = 0;
    for (size_t i = 0; i < n; i++) {
        if (buf_add_str(&packed, names[i]) < 0) {
            err_oom(e);
            goto out;
        }
    }
    int rc = find_shape(s, buf_str(&packed), id, e);
    if (rc != 0 || s->access == STATE_READ) {
        result = rc < 0 ? -1 : 0;
        goto out;
    }
    if (state_write_begin(s, e) < 0 ||
        db_run(&s->main, e, "INSERT INTO shapes(names) VALUES(?)", "b", buf_str(&packed)) < 0 || state_commit(s, e) < 0)
        goto out;
    result = find_shape(s, buf_str(&packed), id, e) == 1 ? 0 : -1;
out:
    buf_free(&packed);
    return result;
}

int state_shape_get(struct state *s, uint32_t id, struct arena *arena, struct lead_shape *out, struct err *e)
{
    sqlite3_stmt *st;
    memset(out, 0, sizeof *out);
    int rc = db_query(&s->main, &st, e, "SELECT names FROM shapes WHERE id = ?", "i", (int64_t)id);
    if (rc != 1)
        return rc;
    struct str packed = db_blob(st, 0), copy;
    rc = arena_str(arena, packed, &copy);
    sqlite3_reset(st);
    /* A name takes a byte at least. */
    struct str *names = rc < 0 ? NULL : arena_calloc(arena, copy.n + 1, sizeof *names);
    if (names == NULL)
        return err_oom(e);
    const char *p = copy.p, *end = copy.n > 0 ? copy.p + copy.n : copy.p;
    size_t n = 0;
    while (p != end)
        if (unpack_str(&p, end, &names[n++]) < 0)
            return err_set(e, XS_STATE, "%s: list of variables %u is damaged; restore it from a backup", s->path, id);
    *out = (struct lead_shape){.id = id, .custom_n = n, .custom_names = names};
    return 1;
}

/* ---- headers ---- */

int state_header_put(struct state *s, uint64_t run, struct str packed_header, char delimiter, struct err *e)
{
    if (state_write_begin(s, e) < 0)
        return -1;
    return db_run(&s->main, e, "INSERT OR REPLACE INTO headers(run, header, delimiter) VALUES(?, ?, ?)", "ubi", run,
                  packed_header, (int64_t)(unsigned char)delimiter);
}

int state_header_get(struct state *s, uint64_t run, struct arena *arena, struct str *packed_header, char *delimiter,
                     struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT header, delimiter FROM headers WHERE run = ?", "u", run);
    if (rc != 1)
        return rc;
    if (arena_str(arena, db_blob(st, 0), packed_header) < 0)
        rc = err_oom(e);
    *delimiter = (char)sqlite3_column_int(st, 1);
    sqlite3_reset(st);
    return rc;
}
