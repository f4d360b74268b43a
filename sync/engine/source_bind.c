#include "config.h"

#include "sync/engine/source_bind.h"

#include <stdlib.h>

int source_bind(struct source *source, struct mapping *m, struct err *e)
{
    struct str *names = calloc(source->columns_n + 1, sizeof *names);

    if (names == NULL)
        return err_oom(e);
    for (size_t i = 0; i < source->columns_n; i++)
        names[i] = source->columns[i].name;
    int rc = mapping_bind(m, names, source->columns_n, e);
    free(names);
    if (rc == 0)
        source_use(source, mapping_used(m));
    return rc;
}
