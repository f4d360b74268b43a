/* The differences between what Instantly holds and what the source wants, as `verify` lists them.
 *
 * Takes one verdict per row, then looks at the leads that no row has met. Differences wait in a temporary table of the pages'
 * file, so that memory stays flat. Knows no row and no plan: the caller has decided what differs. */
#ifndef SYNC_COMPARE_VERIFY_H
#define SYNC_COMPARE_VERIFY_H

#include "mappings/mapping.h"
#include "sync/compare/remote.h"
#include "sync/model/reason.h"
#include "sync/plan/target_names.h"
#include "sync/report/record.h"

enum verify_sign {
    VERIFY_SAME,    /* = */
    VERIFY_DIFFERS, /* * */
    VERIFY_MISSING, /* + */
    VERIFY_SURPLUS, /* - */
    VERIFY_UNTOLD,  /* ! */
    VERIFY_SIGN_N
};
enum verify_kind {
    VERIFY_NO_KIND,
    VERIFY_EDITED,     /* *: values differ */
    VERIFY_MOVED,      /* *: in another campaign or list than the row wants */
    VERIFY_DOUBLED,    /* *: another lead with the address is in another target */
    VERIFY_NEVER,      /* +: no lead, and the state knows of none */
    VERIFY_DELETED,    /* +: the state knows a lead, and Instantly has none */
    VERIFY_MOVED_AWAY, /* +: the address is elsewhere in the workspace */
    VERIFY_UNKNOWN,    /* -: no row of the source */
    VERIFY_OPTED_OUT,  /* -: its row is skipped by a rule that removes leads */
    VERIFY_KEYLESS,    /* !: rows without a usable key may be this lead's */
    VERIFY_OPEN,       /* !: in a batch that is not settled */
    VERIFY_UNSOUND,    /* !: no page has shown the lead, and a question for its address has */
    VERIFY_KIND_N
};
const char *verify_kind_text(enum verify_kind kind);

struct verify_item {
    enum verify_sign sign;
    enum verify_kind kind;
    uint64_t row, line;          /* 0: no row */
    struct str key, email;       /* may be empty */
    const struct uuid *lead_id;  /* NULL: none */
    const struct target *target; /* where the row wants the lead; of a surplus lead, where it is */
    const struct target *where;  /* where it is instead; NULL: nowhere else */
    struct str changes;          /* change.h; old is what Instantly has */
};

struct verify_counts {
    uint64_t signs[VERIFY_SIGN_N], kinds[VERIFY_KIND_N];
    uint64_t left_out;          /* rows that the mapping leaves alone */
    uint64_t reasons[REASON_N]; /* theirs */
    uint64_t leads;             /* that the targets hold */
    uint64_t unasked;           /* missing leads whose address was not asked for in the workspace */
    uint64_t keyless;           /* rows without a usable key */
    uint64_t no_address;        /* of a sample: rows without an address, which it cannot ask for */
    uint64_t sample, sample_of; /* rows looked at, of rows in all; 0: every row was looked at */
};

struct verify;
int verify_new(struct remote *remote, const struct mapping *m, struct verify **out, struct err *e);
void verify_free(struct verify *v); /* NULL is fine */
/* From now on `remote` is the verify's own. */
void verify_take(struct verify *v);
/* For texts: how a target is called. `compared`: the mapping names it. Failures leave out the name. */
void verify_name(struct verify *v, const struct target *target, bool compared);
void verify_names_of(struct verify *v, struct state *state);
const struct target_names *verify_names(const struct verify *v);
/* The targets that were compared; false past the last. */
bool verify_target(const struct verify *v, size_t i, const struct target **out);
struct verify_counts *verify_counts(struct verify *v);
int verify_add(struct verify *v, const struct verify_item *item, struct err *e);
/* After the last row: asks where the missing leads are, and adds the leads that no row has met, if every row was read. */
int verify_finish(struct verify *v, const struct remote_config *config, bool whole, struct err *e);
/* The differences, by sign and then by row. `item` borrows until the next call. 0/-1 */
typedef int verify_each_fn(void *ctx, const struct verify_item *item, struct err *e);
int verify_each(struct verify *v, verify_each_fn *each, void *ctx, struct err *e);

/* The bounds of a 95 % confidence interval for the share of rows that differ, by Wilson's score. */
void verify_interval(uint64_t found, uint64_t sample, double *low, double *high);

#endif
