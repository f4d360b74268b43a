/* The leads of a background job of ours, one by one, as the state has them. Knows nothing of options or formats. */
#ifndef SYNC_CLI_JOBS_JOB_ENTRIES_H
#define SYNC_CLI_JOBS_JOB_ENTRIES_H

#include "sync/cli/jobs/job_view.h"

/* As ChakraHQ's job entries have them: validation is what was found out before the job was asked for, completion what
 * became of the lead. */
enum entry_status { ENTRY_SUCCESS, ENTRY_ERROR, ENTRY_PENDING, ENTRY_STATUS_N };
extern const char *const entry_status_names[]; /* NULL-terminated, in the order of the enum */

struct job_entry {
    size_t n;           /* its place in the job, from 1; of all filters the same */
    struct entry entry; /* as results: key text, row, outcome, reason, lead id, detail */
    uint32_t from, to;  /* numbers of targets; 0: not known */
    enum entry_status validation, completion;
};

struct job_entries {
    struct arena arena;  /* all texts */
    struct job_entry *v; /* by row, removals last; in the arena */
    size_t n, cap;
};

/* Reads them. Of a job that shares a batch with others, not what those were asked for. 0/-1;
 * job_entries_free() is due after a failure too. */
int job_entries_read(struct job_entries *entries, struct state *state, const struct job_view *job, struct err *e);
void job_entries_free(struct job_entries *entries);

#endif
