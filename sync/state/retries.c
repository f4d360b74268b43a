/* The retry table, in row order. */
#include "config.h"

#include "sync/state/state_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct retries {
    struct state *state;
    uint64_t *numbers; /* owned; in row order. 8 bytes each, so that the values stay where they are */
    size_t n, at;
};

int state_retries_open(struct state *s, struct retries **out, struct err *e)
{
    sqlite3_stmt *st;
    struct retries *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return err_oom(e);
    r->state = s;
    r->numbers = calloc((size_t)s->id.retries_n + 1, sizeof *r->numbers);
    if (r->numbers == NULL) {
        free(r);
        return err_oom(e);
    }
    int rc = db_query(&s->main, &st, e, "SELECT n FROM retry_values ORDER BY row, n", "");
    for (; rc == 1 && r->n < s->id.retries_n; rc = db_next(&s->main, st, e))
        r->numbers[r->n++] = (uint64_t)sqlite3_column_int64(st, 0);
    if (rc == 1) {
        sqlite3_reset(st);
        rc = err_set(e, XS_STATE, "%s: the retry table is damaged; see `leadsync status --audit`", s->path);
    }
    if (rc < 0) {
        state_retries_close(r);
        return -1;
    }
    *out = r;
    return 0;
}

/* Whoever takes the entry may give it other values, so its cells must not be told by them. */
static int plain_cells(struct entry *entry, struct arena *arena)
{
    struct buf scratch = BUF_INIT(BLOB_BYTES_MAX);
    int result = entry_cells(entry, &scratch, &entry->cells) < 0 ? -1 : arena_str(arena, entry->cells, &entry->cells);
    entry->cells_by_values = STR_NONE;
    buf_free(&scratch);
    return result;
}

int state_retries_next(struct retries *r, struct arena *arena, struct entry *out, uint32_t *target, struct err *e)
{
    struct state *s = r->state;
    sqlite3_stmt *st;
    struct str intent;
    if (r->at == r->n)
        return 0;
    int rc = db_query(&s->main, &st, e, "SELECT target, intent FROM retry_values WHERE n = ?", "u", r->numbers[r->at]);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return err_set(e, XS_INTERNAL, "the retry table changed while it was read; please report this");
    *target = (uint32_t)sqlite3_column_int64(st, 0);
    rc = arena_str(arena, db_blob(st, 1), &intent);
    sqlite3_reset(st);
    if (rc < 0)
        return err_oom(e);
    const char *p = intent.p;
    if (intent.n == 0 || entry_unpack_intent(&p, intent.p + intent.n, out) < 0)
        return err_set(e, XS_STATE, "%s: an entry of the retry table is damaged; restore the file from a backup",
                       s->path);
    if (plain_cells(out, arena) < 0)
        return errno != EINVAL ? err_oom(e)
                               : err_set(e, XS_STATE, "%s: the cells of an entry of the retry table are damaged; restore "
                                         "the file from a backup", s->path);
    r->at++;
    return 1;
}

void state_retries_close(struct retries *r)
{
    if (r == NULL)
        return;
    free(r->numbers);
    free(r);
}

uint64_t state_retries_n(struct state *s)
{
    return s->id.retries_n;
}
