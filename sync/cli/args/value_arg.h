/* Values of a lead from a command line: --set NAME=TEXT, --set-json NAME=JSON, --clear NAME. A NAME is a field as the API
 * names it, or custom.NAME for a custom variable. */
#ifndef SYNC_CLI_ARGS_VALUE_ARG_H
#define SYNC_CLI_ARGS_VALUE_ARG_H

#include "sync/base/opt.h"
#include "sync/model/lead.h"

struct value_options {
    struct opt_list texts, jsons, clears;
};
/* Rows of an option table; `type` has a struct value_options `member`. */
/* clang-format off */
#define VALUE_ARG_OPTIONS(type, member)                                                                                \
    {.name = "set", .kind = OPT_LIST, .secret = OPT_SECRET_VALUE, .dest = OPT_AT(type, member.texts),                 \
     .arg = "NAME=TEXT",                                                                                               \
     .help = "set a field (first_name, company_name, …) or a custom variable (custom.NAME; repeatable)"},             \
    {.name = "set-json", .kind = OPT_LIST, .secret = OPT_SECRET_VALUE, .dest = OPT_AT(type, member.jsons),             \
     .arg = "NAME=JSON",                                                                                               \
     .help = "like --set, with a number, true, false or a quoted text"}
/* clang-format on */

/* Makes a lead of the values; `shape` gets the names of its custom variables. Both are in the arena, their bytes in argv. `patch`:
 * fields that cannot be changed are refused. XS_USAGE, with the option in the message. */
int value_arg_lead(const struct value_options *o, bool patch, struct arena *arena, struct lead *out, struct err *e);

#endif
