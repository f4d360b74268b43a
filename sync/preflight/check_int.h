/* What the parts of `check` share. Internal: check.c what stands on this side (mapping, source, state, plan),
 * check_guard.c guards that would stop a sync, check_sql.c roles and tables of databases, check_watermark.c the watermark,
 * check_api.c what Instantly says (key, scopes, targets, variables, block list). */
#ifndef SYNC_PREFLIGHT_CHECK_INT_H
#define SYNC_PREFLIGHT_CHECK_INT_H

#include "connectors/source.h"
#include "sync/api/api.h"
#include "sync/base/arena.h"
#include "sync/base/hash.h"
#include "sync/preflight/check.h"
#include "sync/state/state.h"

/* Counts over the rows (check_count.c). */
struct check_count {
    struct state *state; /* while rows are read; NULL: none to ask */
    bool by_state;       /* it was asked */
    char *state_path;    /* that state's; owned, NULL: none */
    bool other_state;    /* which is not the target's after all */
    unsigned char secret[HASH_SECRET_N];
    uint64_t *seen; /* without a state: hashes of keys, with gaps */
    size_t seen_n, seen_cap;
    uint64_t fresh;                     /* leads that a sync would add, as far as can be known here */
    uint64_t *empty;                    /* leads without it: lead fields, then custom variables */
    uint64_t odd_tlds;                  /* leads whose address ends in no known top-level domain */
    uint64_t odd_tld_row, odd_tld_line; /* the first of them */
};

/* A target as Instantly has it now. */
struct check_target {
    struct target target;
    bool own; /* the mapping puts leads into it */
    struct check_target *next;
};

struct check {
    const struct run_config *config;
    struct mapping *m;
    void (*found)(void *ctx, const struct finding *finding);
    void *ctx;
    struct err worst;   /* what a sync would end with */
    struct arena arena; /* of look-ups: names, variables */
    struct buf text;    /* the finding under way */

    bool bound;   /* the source was opened and its columns fit */
    bool counted; /* it was read to its end */
    uint64_t rows, leads, skipped, rejected;
    uint64_t keyless, keyless_row, keyless_line; /* rows without a usable key; the first of them */
    uint64_t reasons[REASON_N];
    struct check_count count;
    struct check_values *values; /* while rows are read */
    const char *mark_type;       /* of the watermark, as a sync would store it; NULL: none, or the source was not read */

    struct api *api; /* NULL: no key, or nothing more can be asked */
    struct workspace workspace;
    struct target *target;        /* of a mapping without a route, once it is found */
    struct check_target *targets; /* all that were found, the last one first */
    uint64_t known_leads;         /* in the state, and there */
};

/* Reports a finding that does not stop a sync. */
void check_report(struct check *c, enum finding_level level, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Reports an error that would end a sync, remembers the worst one, and clears `e`. */
void check_error(struct check *c, const char *what, struct err *e);
/* "a, b, c" and how many more, into c->text, which is reset before. The text, "" when memory is short. */
const char *check_list(struct check *c, const struct str *names, size_t n);

/* The source's role, and results_to:. */
void check_databases(struct check *c);
/* Opens what is needed to count; `stop` closes all but the counts. 0/-1. */
int check_count_start(struct check *c, struct err *e);
void check_count_stop(struct check *c);
int check_count_lead(struct check *c, const struct row *row, const struct mapped *mapped, struct err *e);
/* Reports what the counts show about the leads. */
void check_count_report(struct check *c);
/* Leads for which a variable, by the name that templates know it by, has no value. */
uint64_t check_count_empty(const struct check *c, struct str payload);

/* Values that are refused, let go, or no data (check_values.c). `row` has been mapped. 0/-1 */
int check_values_start(struct check *c, const struct source *source, struct err *e);
void check_values_stop(struct check *c);
int check_values_row(struct check *c, const struct row *row, const struct mapped *mapped, struct err *e);
void check_values_report(struct check *c, const struct source *source);

/* Warns if a sync would stop because the mapping rejects too many rows. */
void check_guard_rejected(struct check *c);
/* Reports if rows without a key would delay removals. */
void check_guard_keyless(struct check *c);
/* Warns of a guard that would stop a sync because of its changes, and if more than half of the leads would be updated. */
void check_guard_changes(struct check *c);
/* The same for a source that is empty or has shrunk since the last complete read. 0/-1 */
int check_guard_source(struct check *c, struct state *s, struct err *e);

/* Reports other hosts among those of the latest runs. 0/-1 */
int check_others_hosts(struct check *c, struct state *s, struct arena *arena, struct err *e);
/* Reports leads of the targets that the state does not know (NULL: there is no state), of a page each. Two requests per target at most. */
void check_others_leads(struct check *c, struct state *s);

/* After the read: reports rows that reads with a watermark miss, and whether the stored watermark is still valid. 0/-1 */
void check_watermark(struct check *c, const struct source *source);
int check_watermark_stored(struct check *c, struct state *s, struct err *e);

/* Runs all checks that need the API. After an error it goes on if the next request can still find something. */
void check_api(struct check *c);

#endif
