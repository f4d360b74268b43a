#include "config.h"

#include "sync/pipeline/source_bind.h"

#include "sync/base/log.h"

#include <inttypes.h>
#include <stdlib.h>

/* Logged here, so that preview, check, diff and sync all report it. */
static void report_notes(const struct mapping *m)
{
    const struct mapping_note *notes;
    size_t n = mapping_notes(m, &notes);

    for (size_t i = 0; i < n; i++)
        log_msg(notes[i].warning ? LOG_WARNING : LOG_NOTICE, "%s", notes[i].text);
}

int source_bind(struct source *source, struct mapping *m, struct err *e)
{
    struct str *names = calloc(source->columns_n + 1, sizeof *names);

    if (names == NULL)
        return err_oom(e);
    for (size_t i = 0; i < source->columns_n; i++)
        names[i] = source->columns[i].name;
    int rc = mapping_bind(m, names, source->columns_n, e);
    free(names);
    if (rc == 0) {
        source_use(source, mapping_used(m));
        report_notes(m);
    }
    return rc;
}

void source_bind_warn(const struct source *source, const struct row *row, const struct mapped *mapped, bool dry)
{
    enum log_level level = mapped->usual && !dry ? LOG_NOTICE : LOG_WARNING;
    if (mapped->warning == NULL)
        return;
    if (row->line > 0)
        log_msg(level, "%s:%" PRIu64 ": %s", source->label, row->line, mapped->warning);
    else
        log_msg(level, "%s, row %" PRIu64 ": %s", source->label, row->number, mapped->warning);
}
