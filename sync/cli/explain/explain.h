/* What `explain` collects before it prints anything, and the parts that collect and print it. */
#ifndef SYNC_CLI_EXPLAIN_EXPLAIN_H
#define SYNC_CLI_EXPLAIN_EXPLAIN_H

#include "sync/cli/out.h"
#include "sync/cli/run/runner.h"
#include "sync/plan/target_names.h"
#include "sync/state/forget/trace.h"
#include "sync/state/state.h"

/* What is true of the lead, as far as a state knows; a later one weighs more. */
enum explain_fate {
    FATE_NOTHING,
    FATE_STATUS,    /* only the person's status is known */
    FATE_REFUSED,   /* an earlier run was refused the row, whose results are no longer kept */
    FATE_LEFT_OUT,  /* the last run that met the row left it out */
    FATE_DELETED,   /* deleted in Instantly, or by hand */
    FATE_REMOVED,   /* by the sync */
    FATE_KNOWN,     /* the row has its lead */
    FATE_WAITS,     /* failed or deferred: in the retry table */
    FATE_OPEN,      /* a request whose outcome is not known */
    FATE_FORGOTTEN, /* by `forget` */
};

/* What one state knows. Strings live in the explain's arena. */
struct explained_state {
    const char *path, *sync, *host, *workspace;
    struct state *state; /* owned, open for reading until the end */
    struct trace trace;
    enum explain_fate fate;
    const struct traced_lead *lead;        /* FATE_KNOWN, FATE_REMOVED, FATE_DELETED, FATE_REFUSED; else NULL */
    const struct traced_batch *last;       /* the newest entry; NULL: there is none */
    const struct traced_batch *made, *put; /* the newest create; the newest change of FATE_KNOWN; NULL: none is on record */
    bool removal_waits;                    /* `last` is a removal that the next full read tries again */
    bool forgotten;
    int64_t forgotten_ms;     /* 0: not known */
    const char *forgotten_by; /* NULL: not known */
};

/* A state that could not be read. */
struct explain_unread {
    const char *path, *why;
};

/* A lead as Instantly has it now. */
struct explained_lead {
    struct uuid id;
    struct str email;
    struct target place; /* has_place false: in no campaign and no list */
    bool has_place;
    int status; /* TARGET_STATUS_UNKNOWN: not told */
    const char *verification;
    int64_t created_ms;
};

/* What a step made of a value. */
struct explained_step {
    const char *step; /* "apply: clean", "map", "default" … */
    struct str value; /* "" for an empty value */
};
struct explained_field {
    struct str name;
    struct str read; /* the cell or the filled template; has_read false: no column is involved */
    bool has_read;
    struct explained_step *steps; /* those that changed the value */
    size_t steps_n;
    struct value value; /* VALUE_ABSENT: none */
};
/* A row of the source that has this key, address or lead. */
struct explained_row {
    uint64_t row, line;
    struct str left_out; /* why the mapping leaves it out; empty: it does not */
    struct explained_field *fields;
    size_t fields_n;
    struct str decision; /* what the next sync would do with it, in words; empty: not planned */
    const char *op;      /* "create" … ; NULL: none */
};

struct explain {
    const struct invocation *inv;
    struct str who; /* as it is shown */
    struct buf address, unicode;
    struct uuid id;
    struct trace_query query;
    struct arena arena;

    struct explained_state *states; /* those that know something */
    size_t states_n, states_cap, looked_into;
    struct str
        sync_words; /* SYNC as it can be typed, and --full if it is needed to search the whole source; empty: not known */
    struct explain_unread *unread;
    size_t unread_n, unread_cap;

    struct target_names names;
    bool asked;            /* Instantly was, and answered: `leads` */
    const char *not_asked; /* why not; NULL: asked, or --offline */
    struct explained_lead *leads;
    size_t leads_n, leads_cap;

    bool read; /* the source was, up to its end: `rows` */
    const char *source;
    uint64_t rows_read;
    struct explained_row *rows;
    size_t rows_n, rows_cap;
};

/* ---- explain_states.c ---- */
/* Reads the states: that of `sync` or --state, else all of the default folder. A state that cannot be read goes to x->unread. 0/-1 */
int explain_states_read(struct explain *x, const char *sync, struct err *e);
void explain_states_close(struct explain *x);
/* The state whose fate weighs most; NULL: no state knows anything. */
const struct explained_state *explain_states_first(const struct explain *x);
/* An address of the lead from a known lead, when none was given. Empty: none is known. */
struct str explain_states_address(const struct explain *x);

/* ---- explain_cells.c ---- */
/* Is the cell, but for blanks around it and letter case, what was asked? */
bool explain_is_who(const struct explain *x, const struct cell *cell);
/* For a state whose trace is empty: adds the rows without a key of the newest run that has some with such a cell, as far as the state
 * keeps cells. 0/-1 */
int explain_cells_find(struct explain *x, struct explained_state *s, struct err *e);

/* ---- explain_now.c ---- */
/* Asks Instantly where the lead is, with the API of `runner` if it is open, because a key is loaded only once. Without a key or an
 * answer, x->not_asked says why. 0/-1 (memory) */
int explain_now_ask(struct explain *x, const struct runner *runner, struct err *e);

/* ---- explain_row.c ---- */
/* Opens a dry run of SYNC in `runner`, which the caller closes, also after a failure. Reads its source and keeps the rows that are
 * meant, with what each step of the mapping made of them, and plans them as `diff` does. 0/-1 */
int explain_row_read(struct explain *x, struct runner *runner, struct err *e);

/* ---- explain_why.c: each appends one sentence without its full stop. 0/-1 (memory) ---- */
int explain_why(const struct explain *x, const struct explained_state *s, struct buf *out);
int explain_next(const struct explain *x, const struct explained_state *s, struct buf *out);
/* Do the rows of the source, which were read and planned, say what comes next? Then explain_next() says it after them. */
bool explain_next_is_planned(const struct explain *x, const struct explained_state *s);
/* The headline, over all states, the rows and what Instantly says. */
int explain_sentence(const struct explain *x, struct buf *out);

/* ---- explain_history.c ---- */
extern const struct record_layout explain_history_layout;
/* Fills the cells of a record. 0/-1 */
int explain_history_fill(struct record_writer *w, struct explain *x, const struct explained_state *s,
                         const struct traced_batch *touched, struct err *e);

/* ---- explain_text.c, explain_json.c ---- */
int explain_text(struct explain *x, struct buf *out, struct err *e);
int explain_json(struct explain *x, struct buf *out, struct err *e);

#endif
