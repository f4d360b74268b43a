/* What the parts of `forget` share: who is meant, which lists and which states. forget.c the command, forget_states.c which
 * states and what is done to each, forget_export.c what is known of a person. */
#ifndef SYNC_CLI_HISTORY_FORGET_H
#define SYNC_CLI_HISTORY_FORGET_H

#include "sync/cli/actor.h"
#include "sync/cli/out.h"
#include "sync/state/forget_list.h"
#include "sync/state/state.h"

/* One state of the workspace. */
struct forget_state {
    char *path, *sync, *workspace, *workspace_name; /* owned; NULL: not known */
    enum exit_status status;                        /* of the last thing that was tried with it */
    char *why;                                      /* owned; why that failed, NULL: it did not */
    struct forgotten counts;                        /* found, or removed */
    uint64_t keys;                                  /* in the state's own table of the forgotten */
};

struct forget_call {
    struct common common;   /* a copy, which may say what a CSV without a mapping goes to; its texts are the invocation's */
    const struct common *c; /* that one */
    struct buf address, unicode; /* the person's spellings; empty for --list */
    struct person_name person;
    struct actor actor;             /* who runs the command; forget.c only */
    struct buf by;                  /* the same as a list has it */
    char *named;                    /* owned; the state of SYNC or --state; NULL: neither was given */
    char *host, *workspace;         /* owned; whose lists: workspace NULL is "not known" or, for a reader, "of all" */
    char *folders[STATE_LISTS_MAX]; /* owned */
    size_t folders_n;
    struct forget_state *states; /* owned */
    size_t states_n;
};

/* ---- forget_states.c ---- */
/* `email` NULL: no person is named. XS_USAGE: no address. forget_call_close() is due after a failure, too. */
int forget_call_open(struct forget_call *f, const struct invocation *inv, const char *email, const char *sync,
                     const char *campaign, struct err *e);
void forget_call_close(struct forget_call *f);
/* Finds the states of the workspace: those of the default folder, and the one that was named. One that cannot be read is
 * among them, with `why`. With `one`, states of several workspaces and none named are XS_USAGE. */
int forget_states_find(struct forget_call *f, bool one, struct err *e);
/* Fills `counts` and `keys` by what each state knows of the person; what cannot be read is left with `why`. */
int forget_states_count(struct forget_call *f, struct err *e);
/* Takes the person out of each state, or off each state's own table; failures are left in `status` and `why`. -1: memory. */
int forget_states_erase(struct forget_call *f, struct err *e);
int forget_states_undo(struct forget_call *f, struct err *e);
/* Opens one for reading. 0/-1; a state that is gone meanwhile is XS_STATE. */
int forget_state_open(const struct forget_call *f, const struct forget_state *s, struct state **out, struct err *e);
/* 1 in `keys` when the state's own table has the address, else 0. 0/-1 */
int forget_state_keys(const struct forget_call *f, struct state *state, uint64_t *keys, struct err *e);
/* Warns of each state that has `why`. The status that the command ends with for them; XS_DONE: there is none. */
enum exit_status forget_states_left(const struct forget_call *f, size_t *n);
struct forget_scope forget_call_scope(const struct forget_call *f);

/* ---- forget_export.c ---- */
int forget_export(struct forget_call *f, struct out *out, struct err *e);

#endif
