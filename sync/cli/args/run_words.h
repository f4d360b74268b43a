/* The words of the command line that a run is on record with, so that a message can name a command that works. */
#ifndef SYNC_CLI_ARGS_RUN_WORDS_H
#define SYNC_CLI_ARGS_RUN_WORDS_H

#include "sync/state/state.h"

struct run_words {
    char **v; /* as typed, without quotes; "..." in place of a secret */
    size_t n;
};

/* Of the newest run that read a source. 1, 0 none is on record, -1. Whatever it returned: run_words_free(). */
int run_words_load(struct state *s, struct run_words *out, struct err *e);
void run_words_free(struct run_words *w);

/* The SYNC among the words; NULL: none looks like one. */
const char *run_words_sync(const struct run_words *w);
/* The next value of an option, such as "--skip-when", from word `*at` on, which is moved past it; NULL: none is left. */
const char *run_words_value(const struct run_words *w, const char *option, size_t *at);
/* Appends `sync` (NULL: the one among the words of the state's newest run) as it can be typed, a CSV with the --campaign or
 * --list that the state knows; "SYNC" if no run names one. 0/-1 */
int run_words_show_sync(struct state *s, const char *sync, struct buf *out, struct err *e);

#endif
