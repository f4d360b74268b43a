/* A line with names that leadsync knows is a header. A line with an address is data, because an address is not a column name.
 * In a line with gaps or repeated cells, the cell above the addresses decides, because a header has a name there. */
#include "config.h"

#include "mappings/names/first_line.h"

#include "mappings/convert/email.h"
#include "mappings/names/names.h"
#include "sync/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { SCRATCH_MAX = 16 << 20, CELLS_LOOKED_AT = 512 /* of a line, for names and for what stands twice */ };

/* How much like a header a line is. */
struct likeness {
    size_t known, filled;
    bool email, address, twice;
};

struct first_line {
    struct likeness first;
    bool *blank;       /* of each cell of the first line */
    size_t *addresses; /* seen below each */
    size_t n;
    long address;         /* of the first line's cells */
    size_t rows_with;     /* rows with an address, above the header that is looked for */
    uint64_t header_line; /* 0: none was seen */
};

static bool is_address(struct str cell, struct arena *scratch)
{
    struct email email;

    arena_reset(scratch);
    return cell.n > 0 && memchr(cell.p, '@', cell.n) != NULL && email_parse(email_unwrap(cell), scratch, &email) == 0 &&
           email.why == NULL;
}

/* The arena only overflows for texts longer than any address. */
long first_line_address(const struct str *cells, size_t n)
{
    struct arena scratch;
    long found = -1;

    arena_init(&scratch, SCRATCH_MAX);
    for (size_t i = 0; i < n && found < 0; i++)
        if (is_address(cells[i], &scratch))
            found = (long)i;
    arena_free(&scratch);
    return found;
}

static int compare(const struct str *cells, size_t n, struct likeness *out)
{
    size_t some = n < CELLS_LOOKED_AT ? n : CELLS_LOOKED_AT;

    *out = (struct likeness){.address = first_line_address(cells, n) >= 0};
    for (size_t i = 0; i < n; i++)
        out->filled += str_trim(cells[i]).n > 0;
    for (size_t i = 0; i < some; i++) {
        struct names_match match;
        int found = text_is_utf8(cells[i]) ? names_find(cells[i], &match) : 0;
        if (found < 0)
            return -1;
        if (found > 0 && match.certainty >= NAMES_LIKELY) {
            out->known++;
            out->email |= match.field == LEAD_EMAIL;
        }
        for (size_t k = 0; k < i && !out->twice; k++)
            out->twice = str_eq(cells[i], cells[k]);
    }
    return 0;
}

static bool is_header(const struct likeness *line)
{
    return !line->address && (line->email || line->known > 1);
}

struct first_line *first_line_new(const struct str *cells, size_t n)
{
    struct first_line *look = calloc(1, sizeof *look);

    if (look == NULL)
        return NULL;
    look->n = n;
    look->blank = calloc(n + 1, sizeof *look->blank);
    look->addresses = calloc(n + 1, sizeof *look->addresses);
    if (look->blank == NULL || look->addresses == NULL || compare(cells, n, &look->first) != 0) {
        first_line_free(look);
        return NULL;
    }
    look->address = first_line_address(cells, n);
    for (size_t i = 0; i < n; i++)
        look->blank[i] = str_trim(cells[i]).n == 0;
    return look;
}

void first_line_free(struct first_line *look)
{
    if (look == NULL)
        return;
    free(look->blank);
    free(look->addresses);
    free(look);
}

int first_line_see(struct first_line *look, const struct row *row)
{
    struct arena scratch;
    struct likeness line = {0};
    bool any = false;
    struct str *cells = calloc(row->n + 1, sizeof *cells);

    if (cells == NULL)
        return -1;
    arena_init(&scratch, SCRATCH_MAX);
    for (size_t i = 0; i < row->n; i++) {
        cells[i] = (struct str){row->cells[i].p, row->cells[i].n};
        bool address = is_address(cells[i], &scratch);
        any |= address;
        if (i < look->n)
            look->addresses[i] += address;
    }
    arena_free(&scratch);
    int rc = 0;
    if (!any && look->header_line == 0 && look->rows_with == 0 && (rc = compare(cells, row->n, &line)) == 0 &&
        is_header(&line))
        look->header_line = row->line;
    look->rows_with += any && look->header_line == 0;
    free(cells);
    return rc;
}

/* The column with the most addresses; n: there are none. */
static size_t column_of_addresses(const struct first_line *look)
{
    size_t best = look->n;

    for (size_t i = 0; i < look->n; i++)
        if (look->addresses[i] > (best < look->n ? look->addresses[best] : 0))
            best = i;
    return best;
}

struct first_line_verdict first_line_judge(const struct first_line *look)
{
    const struct likeness *first = &look->first;
    size_t email = column_of_addresses(look);

    if (is_header(first))
        return (struct first_line_verdict){.kind = FIRST_LINE_HEADER};
    /* A title line may have one more cell, such as its author. */
    if (look->header_line > 0 && (!first->address || first->filled == 1))
        return (struct first_line_verdict){.kind = FIRST_LINE_TITLE, .header_line = look->header_line};
    if (look->address >= 0)
        return (struct first_line_verdict){.kind = FIRST_LINE_DATA, .email = (size_t)look->address};
    if ((first->filled < look->n || first->twice) && first->known == 0 && email < look->n && look->blank[email])
        return (struct first_line_verdict){.kind = FIRST_LINE_DATA, .unsure = true, .email = email};
    return (struct first_line_verdict){.kind = FIRST_LINE_HEADER};
}
