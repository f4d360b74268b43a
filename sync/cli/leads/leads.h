/* The verbs of `leads`. */
#ifndef SYNC_CLI_LEADS_LEADS_H
#define SYNC_CLI_LEADS_LEADS_H

#include "sync/cli/command.h"

extern const struct command leads_list;
extern const struct command leads_get;
extern const struct command leads_add;
extern const struct command leads_patch;
extern const struct command leads_interest;
extern const struct command leads_assign;
extern const struct command leads_subsequence;
extern const struct command leads_merge;
extern const struct command leads_delete;

#endif
