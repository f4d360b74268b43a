/* The dry run as a command runs it: `diff` and `sync --dry-run` are the same thing. */
#ifndef SYNC_CLI_RUN_DIFFER_H
#define SYNC_CLI_RUN_DIFFER_H

#include "sync/cli/command.h"
#include "sync/report/diff.h"

#include <stdbool.h>

struct differ_options {
    bool exit_code, all, summary, left_out, payload, mask, no_pager;
    bool remote; /* plan against what the targets hold */
    struct opt_list op;
    const char *match;   /* NULL: everything is shown */
    const char *at;      /* RFC 3339; NULL: the present time */
    const char *save;    /* the plan's file; NULL: it is not saved */
    const char *against; /* of a plan: what it is compared with; NULL: nothing */
};

/* Rows of an option table. `member` is the struct differ_options in `type`, `where` is their section of the help. */
/* clang-format off */
#define DIFFER_FLAG(type, member, where, option, field, text) \
    {.name = option, .section = where, .kind = OPT_FLAG, .dest = OPT_AT(type, member field), .help = text}
#define DIFFER_OPTIONS(type, member, where) \
    DIFFER_FLAG(type, member, where, "exit-code", exit_code, "exit with 2 if there are changes, else with 1 if rows are rejected"), \
    {.name = "op", .section = where, .kind = OPT_LIST, .dest = OPT_AT(type, member op), .arg = "OP,...", \
     .help = "show only these: " DIFF_SHOW_WORDS}, \
    {.name = "match", .section = where, .kind = OPT_TEXT, .dest = OPT_AT(type, member match), .arg = "TEXT", .min = 1, \
     .help = "show only changes and left-out rows with this text, or all its words, in cells or values"}, \
    DIFFER_FLAG(type, member, where, "summary", summary, "show only the counts, no changes and rows"), \
    DIFFER_FLAG(type, member, where, "all", all, "list every change, not only 50 of each kind"), \
    DIFFER_FLAG(type, member, where, "left-out", left_out, "csv: also list rows that are left out, and leads that wait for removal"), \
    DIFFER_FLAG(type, member, where, "payload", payload, "json and ndjson: also the bodies of the requests"), \
    DIFFER_FLAG(type, member, where, "mask", mask, "mask addresses, names, phones and all other values, to pass the diff on"), \
    {.name = "at", .section = where, .kind = OPT_TEXT, .dest = OPT_AT(type, member at), .arg = "TIME", .min = 1, \
     .help = "show this time (RFC 3339) in place of the present, so that equal diffs are equal bytes"}, \
    {.name = "save", .section = where, .kind = OPT_TEXT, .dest = OPT_AT(type, member save), .arg = "FILE.plan", .min = 1, \
     .help = "save the plan, to be read again with diff and done with apply"}, \
    DIFFER_FLAG(type, member, where, "no-pager", no_pager, "on a terminal, print without $PAGER")
/* clang-format on */

/* The first of these options that was given; NULL: none was. --remote, which a sync takes as well, is not one of them. */
const char *differ_given(const struct differ_options *o);

/* Shows what a sync of operand 0 would do. Sets inv->status: XS_CHANGES only with `exit_code`. */
int differ_run(struct invocation *inv, const struct differ_options *o, struct err *e);

#endif
