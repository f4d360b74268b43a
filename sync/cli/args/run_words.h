/* The words of the command line that a run is on record with, so that a message can name a command that works. */
#ifndef SYNC_CLI_ARGS_RUN_WORDS_H
#define SYNC_CLI_ARGS_RUN_WORDS_H

#include "mappings/mapping.h"
#include "sync/state/state.h"

struct run_words {
    char **v; /* as typed, without quotes; "..." in place of a secret */
    size_t n;
};

enum run_words_of { RUN_WORDS_ANY, RUN_WORDS_FULL };
/* Of the newest run that read a source, or a whole source. 1, 0 none is on record, -1. Whatever it returned: run_words_free(). */
int run_words_load(struct state *s, enum run_words_of of, struct run_words *out, struct err *e);
void run_words_free(struct run_words *w);

/* The SYNC among the words; NULL: none looks like one. */
const char *run_words_sync(const struct run_words *w);
/* The next value of an option, such as "--skip-when", from word `*at` on, which is moved past it; NULL: none is left. */
const char *run_words_value(const struct run_words *w, const char *option, size_t *at);
/* Appends `sync` (NULL: the one among the words of the state's newest run) as it can be typed, a CSV with the --campaign or
 * --list that the state knows and the --skip-when of the newest full read; "SYNC" if no run names one. 0/-1 */
int run_words_show_sync(struct state *s, const char *sync, struct buf *out, struct err *e);
/* Warns if the newest full read left rows out by a --skip-when for whose column the bound mapping has no rule. 0/-1 */
int run_words_warn_dropped(struct state *s, const struct mapping *m, struct err *e);

#endif
