/* Turns --campaign, --list and the options of GROUP_SELECT into a selector of leads. */
#ifndef SYNC_CLI_ARGS_SELECT_ARG_H
#define SYNC_CLI_ARGS_SELECT_ARG_H

#include "sync/cli/common.h"
#include "sync/leads/lead_edit.h"

/* True if a condition other than --campaign and --list is given. */
bool select_arg_given(const struct common *c);
/* The place of --campaign or --list, looked up by name or id: 1, or 0 when none is given. Blocks; XS_CONFIG: unknown. */
int select_arg_place(const struct common *c, struct lead_edit *edit, struct target *out, struct err *e);
/* Fills all but filter.in. Arrays live in the hand's arena. XS_USAGE. */
int select_arg_fill(const struct common *c, struct lead_edit *edit, struct lead_selector *out, struct err *e);
/* UUIDs of an option that may be repeated and may hold commas. */
int select_arg_uuids(const struct opt_list *texts, const char *option, struct arena *arena, struct uuid **out, size_t *n,
                     struct err *e);
/* A status of leads as the API has it, as a word: "active" …; "status 7" of one that is not known. */
enum { SELECT_STATUS_TEXT_N = 32 };
const char *select_arg_status_text(int status, char out[SELECT_STATUS_TEXT_N]);

#endif
