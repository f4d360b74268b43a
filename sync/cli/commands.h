/* The commands' table rows, one file each. */
#ifndef SYNC_CLI_COMMANDS_H
#define SYNC_CLI_COMMANDS_H

#include "sync/cli/command.h"

extern const struct command command_init;
extern const struct command command_preview;
extern const struct command command_check;
extern const struct command command_diff;
extern const struct command command_sync;
extern const struct command command_resume;
extern const struct command command_adopt;
extern const struct command command_pull;
extern const struct command command_apply;
extern const struct command command_verify;
extern const struct command command_status;
extern const struct command command_jobs;
extern const struct command command_results;
extern const struct command command_rejects;
extern const struct command command_explain;
extern const struct command command_forget;
extern const struct command command_move;
extern const struct command command_leads;
extern const struct command command_schema;
extern const struct command command_sandbox;
extern const struct command command_help_page;

#endif
