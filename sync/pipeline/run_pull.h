/* `pull`: what Instantly holds of the targets' leads, back to the source's side.
 *
 * Reads every page of the targets like verify, joins the leads with the state, and hands each as a record to a sink. Reads no
 * source, and sends nothing that changes anything in Instantly. Writes into the state who unsubscribed or bounced, and what was
 * written of each lead. Knows nothing of files and databases. */
#ifndef SYNC_PIPELINE_RUN_PULL_H
#define SYNC_PIPELINE_RUN_PULL_H

#include "sync/model/engagement.h"
#include "sync/pipeline/run.h"

/* Where records go. Each function gets `ctx` and returns 0 or -1. */
struct pull_sink {
    void *ctx;
    const char *name; /* of the file or table, for what the state remembers of it */
    /* Called once, when every page is read. *fresh: it has no record of this sync, whatever the state remembers. */
    int (*begin)(void *ctx, const char *sync, bool *fresh, struct err *e);
    int (*add)(void *ctx, const struct str cells[ENGAGEMENT_COLUMN_N], struct err *e);
    /* All is durable after it. *written: the records that are new or changed. */
    int (*finish)(void *ctx, uint64_t *written, struct err *e);
};

struct pull_summary {
    char *sync; /* owned; pull_summary_free() */
    int64_t started_ms, finished_ms;
    uint64_t leads;                 /* that the targets hold, or that the state knows elsewhere */
    uint64_t given, written;        /* to the sink; of those, new or changed ones */
    uint64_t keyless;               /* leads that the state does not know */
    uint64_t forgotten;             /* left out, because the person was forgotten */
    uint64_t unsubscribed, bounced; /* people */
    uint64_t recorded;              /* of those, people whose status was new to the state */
    uint64_t requests;
};

/* `since_last`: only records that differ from what was last written to this sink. config->remote is RUN_REMOTE_PULL. The caller
 * frees the summary in either case. Blocks. After a failure nothing counts as written, and the pages that were read stay for the
 * next call. */
int run_pull(const struct run_config *config, const struct pull_sink *sink, bool since_last, struct pull_summary *summary,
             struct err *e);
void pull_summary_free(struct pull_summary *summary);

#endif
