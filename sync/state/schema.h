/* The tables of a state file and the steps from one version to the next. Knows SQL, nothing of what is stored. */
#ifndef SYNC_STATE_SCHEMA_H
#define SYNC_STATE_SCHEMA_H

#include "sync/state/db/db.h"

enum {
    STATE_APPLICATION_ID = 0x4c53796e,   /* "LSyn" */
    JOURNAL_APPLICATION_ID = 0x4c53796a, /* "LSyj" */
    SCHEMA_VERSION = 6,
    JOURNAL_VERSION = 2,
    STATE_PAGE_BYTES = 8192,
    JOURNAL_PAGE_BYTES = 16384,
};

/* One step: from version `from` to `from + 1`. */
struct schema_step {
    int from;
    const char *sql;
    int (*fill)(void *ctx, struct err *e); /* what SQL cannot say, after it and in the same transaction; NULL: nothing */
};
extern const struct schema_step schema_steps[]; /* ends with a NULL sql */

extern const char schema_tables[];  /* a new state, at SCHEMA_VERSION */
extern const char journal_tables[]; /* a new journal */

/* Takes the file to version `to`, each step in a transaction of its own; `ctx` is for their `fill`. XS_STATE when a step is missing. */
int schema_migrate(struct db *db, const struct schema_step *steps, void *ctx, int to, struct err *e);

/* Whose file is this? 0 when it has this application id and a version up to `newest`, which is stored. XS_STATE
 * otherwise, with what to do. */
int state_schema_check(struct db *db, int application_id, int newest, int *version, struct err *e);

#endif
