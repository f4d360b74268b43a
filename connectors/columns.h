/* The column names of a source: copied, and checked once for all connectors. Pure. */
#ifndef CONNECTORS_COLUMNS_H
#define CONNECTORS_COLUMNS_H

#include "connectors/source.h"

struct columns {
    struct column *list; /* owned, as are the bytes of names and types */
    size_t n;
    char *bytes;
};

/* Copies `n` names, and their types if there are any (NULL, or a member NULL: text). Each copy has
 * a NUL behind it. On failure nothing is owned.
 * Errors: XS_CONFIG when a name is blank or stands twice (but for leadsync_*, which are never data); `remedy` says what the user can do about it.
 * NULL: no check. */
int columns_set(struct columns *columns, const struct str *names, const char *const *types, size_t n, const char *label,
                const char *remedy, struct err *e);
void columns_free(struct columns *columns);

/* Does it begin with LEADSYNC_PREFIX? Such a column is never read, and may stand twice: rejects of rejects have it so. */
bool columns_is_ours(struct str name);

/* Is a row a header, though the names of the columns are known already? It is when it has nothing but these names, in any
 * order, and columns of ours; it may lack names where one of ours shows that `rejects` wrote it. Set `names` and `n`, show
 * it every cell of the row, then ask. */
struct columns_header {
    const struct str *names; /* borrowed */
    size_t n;
    size_t cells, ours; /* seen so far */
    bool foreign;       /* a cell that is not a name */
};
void columns_header_cell(struct columns_header *look, struct str cell);
bool columns_header_is(const struct columns_header *look);

/* Index of a name, or -1. */
long columns_find(const struct columns *columns, struct str name);

/* Appends `"a", "b", "c"` for messages, cut after a screenful. 0/-1. */
int columns_list(const struct columns *columns, struct buf *out);

#endif
