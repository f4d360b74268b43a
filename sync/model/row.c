/* Packed cells: a number a cell, 0 for NULL, else its length + 1, then its bytes. There is no count: a record ends
 * where its bytes end, and a rejected row is written back with as many cells as it had. */
#include "config.h"

#include "sync/model/row.h"

int cells_pack(const struct cell *cells, size_t n, struct buf *out)
{
    /* The whole row or nothing of it. */
    size_t start = out->n;
    for (size_t i = 0; i < n; i++) {
        unsigned long long head = cells[i].null ? 0 : (unsigned long long)cells[i].n + 1;
        if (buf_add_varint(out, head) != 0 || (head > 1 && buf_add(out, cells[i].p, cells[i].n) != 0)) {
            out->n = start;
            return -1;
        }
    }
    return 0;
}

int cells_next(const char **p, const char *end, struct cell *out)
{
    const char *at = *p;
    unsigned long long head;
    if (at == end)
        return 0;
    if (unpack_varint(&at, end, &head) != 0 || (head > 0 && head - 1 > (size_t)(end - at)))
        return -1;
    /* "" instead of a pointer behind the record's end, where an empty cell is the last. */
    size_t n = head > 0 ? (size_t)(head - 1) : 0;
    *out = (struct cell){n > 0 ? at : "", n, head == 0};
    *p = at + n;
    return 1;
}
