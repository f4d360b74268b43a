/* What the by-hand commands share: from options to an edit, who is meant, the question, the write, the report. */
#ifndef SYNC_CLI_LEADS_BY_HAND_H
#define SYNC_CLI_LEADS_BY_HAND_H

#include "sync/cli/actor.h"
#include "sync/cli/command.h"
#include "sync/cli/key.h"
#include "sync/cli/out.h"
#include "sync/leads/lead_edit.h"

#include <stdbool.h>

/* Groups of a command that only reads, of one that writes, and of one that asks before. */
enum {
    BY_HAND_READS = GROUP_OUTPUT | GROUP_URL | GROUP_KEY,
    BY_HAND_WRITES = BY_HAND_READS | GROUP_STATE | GROUP_LOCK | GROUP_BY_HAND | GROUP_YES,
    BY_HAND_ASKS = BY_HAND_WRITES | GROUP_CONSENT,
    BY_HAND_OPERANDS = 100000
};

struct by_hand_call {
    struct invocation *inv;
    struct actor actor;
    struct api_key key;
    char *rate_share, *state_path; /* owned */
    struct api_config api;
    struct lead_edit edit;
    struct target place; /* of --campaign or --list */
    bool has_place;
    struct target destination; /* of a move */
    const char **operands;     /* words other than SYNC; owned array */
    size_t operands_n;
    const char *sync; /* the SYNC among them; NULL: none */
    int64_t job_wait_ms;
    bool no_wait; /* of a move: its job is started and not awaited */
    struct leads_move_options move;
    bool of_run;      /* the leads are those of a run, which its state knows */
    bool needs_state; /* else, of several states, none is taken */
    bool force;       /* people who must not be made active again are written to as well */
};

/* A verb that writes. All get the call, whose hand has its leads after `find`. */
struct by_hand_verb {
    bool asks;
    int (*check)(struct by_hand_call *call, struct err *e); /* before anybody is asked; NULL: nothing to check */
    int (*find)(struct by_hand_call *call, struct err *e);
    /* The question without its question mark: "delete 3 leads of …"; appends. NULL: it does not ask. */
    int (*describe)(struct by_hand_call *call, struct buf *text);
    int (*write)(struct by_hand_call *call, struct err *e);
    bool of_run; /* a run says which leads: even a dry run needs its state */
    bool makes;  /* there is something to do although no lead is selected (add) */
};
/* The whole of it: opens, finds, asks, writes, reports; sets inv->status. */
int by_hand_run(struct invocation *inv, const struct by_hand_verb *verb, struct err *e);

/* Separates LEADs and SYNC among the words: call->operands and call->sync. XS_USAGE: two SYNCs. */
int by_hand_sort(struct by_hand_call *call, struct err *e);

/* For verbs that only read. by_hand_close() is due after a failure too. */
int by_hand_open(struct by_hand_call *call, struct invocation *inv, bool writes, struct err *e);
void by_hand_close(struct by_hand_call *call);

/* `find`s: operands as ids or addresses, or what the selection says. An empty selection needs `all`. XS_USAGE. */
int by_hand_find_named(struct by_hand_call *call, struct err *e);
int by_hand_find_selected(struct by_hand_call *call, bool all, struct err *e);
int by_hand_check_selected(const struct by_hand_call *call, bool all, struct err *e); /* its `check` */
int by_hand_check_run(const struct by_hand_call *call, bool all,
                      struct err *e);                              /* with --run, which says itself who is meant */
int by_hand_needs_leads(struct by_hand_call *call, struct err *e); /* a `check`: operands must be there */
/* `campaign "Q4 founders" (active)`, by id where no name is known */
int by_hand_place_text(struct lead_edit *edit, const struct target *t, struct buf *out);
/* Where the leads without an outcome are: appends `before` and the first places; nothing where they are in none. */
int by_hand_places_text(struct by_hand_call *call, const char *before, struct buf *text);
/* How many of a run's leads no longer exist: appends "; N are …", or nothing. */
int by_hand_missing_text(const struct lead_edit *edit, struct buf *text);
size_t by_hand_open_n(const struct lead_edit *edit); /* leads without an outcome */

/* ---- by_hand_out.c ---- */
extern const char *const by_hand_formats[];
/* Prints what happened to each lead, in the format of the command. */
int by_hand_report(struct by_hand_call *call, bool written, enum exit_status status, struct out *out, struct err *e);

#endif
