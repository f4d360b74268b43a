/* The rules as they are written down, a byte at a time, and nothing that is fast. */
#include "config.h"

#include "tests/unit/csvreference.h"

#include <stdlib.h>

struct reference {
    struct buf row, cell, *out; /* cells of the row being read, the cell being read, and the rows before */
    size_t cells;
    bool filled; /* some cell of the row is not blank */
    enum { AT_START, UNQUOTED, QUOTED, CLOSED, CLOSED_AND_BLANK } state;
};

/* Neither test goes on without memory. */
static void must(int rc)
{
    if (rc != 0)
        abort();
}

static void end_cell(struct reference *ref)
{
    ref->filled |= str_trim(buf_str(&ref->cell)).n > 0;
    must(buf_add_str(&ref->row, buf_str(&ref->cell)));
    ref->cells++;
    buf_reset(&ref->cell);
    ref->state = AT_START;
}

static void end_row(struct reference *ref)
{
    end_cell(ref);
    if (ref->filled) {
        must(buf_add(ref->out, ref->row.p, ref->row.n));
        must(buf_addf(ref->out, " %zu\n", ref->cells));
    }
    buf_reset(&ref->row);
    ref->cells = 0;
    ref->filled = false;
}

/* One byte behind a closing quote. false: it may not stand there. */
static bool behind_quote(struct reference *ref, char c)
{
    if (c == '"' && ref->state == CLOSED) {
        must(buf_addc(&ref->cell, c));
        ref->state = QUOTED;
        return true;
    }
    ref->state = CLOSED_AND_BLANK;
    return c == ' ' || c == '\t';
}

static bool take(struct reference *ref, char c, char delimiter)
{
    if (ref->state != QUOTED && c == delimiter) {
        end_cell(ref);
    } else if (ref->state != QUOTED && (c == '\n' || c == '\r')) {
        end_row(ref);
    } else if (ref->state == CLOSED || ref->state == CLOSED_AND_BLANK) {
        return behind_quote(ref, c);
    } else if (ref->state == QUOTED && c == '"') {
        ref->state = CLOSED;
    } else if (ref->state == AT_START && c == '"') {
        buf_reset(&ref->cell);
        ref->state = QUOTED;
    } else {
        must(buf_addc(&ref->cell, c));
        if (ref->state == AT_START && c != ' ' && c != '\t')
            ref->state = UNQUOTED;
    }
    return true;
}

bool csvreference_rows(struct str text, char delimiter, struct buf *out)
{
    struct reference ref = {.row = BUF_INIT(out->max), .cell = BUF_INIT(out->max), .out = out};
    bool sound = true;

    for (size_t i = 0; i < text.n && sound; i++)
        sound = take(&ref, text.p[i], delimiter);
    sound &= ref.state != QUOTED;
    if (sound)
        end_row(&ref);
    buf_free(&ref.row);
    buf_free(&ref.cell);
    return sound;
}

void csvreference_row(const struct cell *cells, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        must(buf_add_str(out, (struct str){cells[i].p, cells[i].n}));
    must(buf_addf(out, " %zu\n", n));
}
