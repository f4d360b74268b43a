#include "config.h"

#include "sync/pipeline/watermark.h"

bool watermark_used(const struct mapping *m)
{
    return (m->source.kind == SOURCE_POSTGRES || m->source.kind == SOURCE_SQLITE) && m->source.as.sql.watermark != NULL;
}

/* `column > :watermark` never selects a row whose column is NULL. A mirror would take such a row for missing, and remove its
 * lead. */
int watermark_judge(const struct mapping *m, const struct source *source, struct err *e)
{
    const struct source_mark *mark = &source->mark;
    if (!watermark_used(m) || m->mode != MODE_MIRROR || !mark->may_be_null || mark->reads_nulls)
        return 0;
    return err_set(e, XS_CONFIG,
                   "%s: watermark: column \"%s\" may be NULL: query: does not select such rows, and mode: mirror "
                   "would remove their leads; add full_query:, the same columns without :watermark%s",
                   source->label, m->source.as.sql.watermark, mark->table != NULL ? ", or declare the column NOT NULL" : "");
}
