/* The commands: one file each, one table of all, and the way from argv to a command's function.
 *
 * A command is data (names, help, options) and one function. Its options are a const table whose `dest` is not an
 * address but an offset (OPT_AT) into the command's own options struct, so that help, completions, the man page's check
 * and parsing read the same table and nothing mutable is shared.
 * Knows nothing of leads or the API; does not exit the process. */
#ifndef SYNC_CLI_COMMAND_H
#define SYNC_CLI_COMMAND_H

#include "sync/base/err.h"
#include "sync/base/opt.h"
#include "sync/cli/common.h"

#include <stddef.h>
#include <stdio.h>

/* The `dest` of a row of a command's table: where in `struct type` the option's value goes. */
#define OPT_AT(type, member) ((void *)offsetof(struct type, member))

struct invocation;

/* A command with verbs is a family: it has a name, a summary, help and `verbs`, and nothing else. Each verb is a command
 * of its own, whose name is both words as they are typed ("jobs list"). */
struct command {
    const char *name;
    const char *usage;          /* operands, as in "SYNC" or "[SYNC]"; "" for none */
    const char *summary;        /* one line, lower case, no full stop */
    const char *help;           /* paragraphs; printed as they are */
    const char *examples;       /* the end of --help: commands as they are typed, one per line */
    unsigned groups;            /* GROUP_*: shared options that it takes */
    const char *const *formats; /* NULL-terminated, the first is the default; NULL: no --format */
    const struct opt *options;  /* its own, offsets into the options struct, ends in a NULL name; NULL: none */
    size_t options_bytes;       /* size of the options struct */
    const void *defaults;       /* initial options struct; NULL: all zero */
    size_t operands_max;
    /* 0: inv->status is the exit status (default: XS_DONE), -1: e->status. */
    int (*run)(struct invocation *inv, struct err *e);
    int (*help_more)(FILE *out, struct err *e); /* after the options in --help; NULL: nothing */
    const struct command *const *verbs;         /* NULL-terminated; NULL: this is a single command */
    const struct command *verb_default;         /* where an option, a file or nothing follows; NULL: a verb must follow */
};

/* One call of the program. Lives as long as dispatch; a command only reads it, but for `status`. */
struct invocation {
    const struct command *command;
    struct common common;  /* shared options, environment, terminal */
    void *options;         /* the command's own struct */
    const char **operands; /* owned array of argv's strings */
    size_t operands_n;
    char *line; /* owned: the command line for records, without what is secret */
    enum exit_status status;
};

/* All commands in the order of `leadsync help`, NULL-terminated. */
extern const struct command *const command_table[];
const struct command *command_find(const char *name);                                    /* NULL: none */
const struct command *command_verb_find(const struct command *family, const char *verb); /* NULL: none */
/* The second word of a verb's name. */
const char *command_verb_word(const struct command *family, const struct command *verb);

/* Runs the command in argv and prints its error to stderr. Returns the exit status of the process; for an unknown command that is
 * XS_USAGE, and the message has the nearest name. Blocks as long as the command does. */
enum exit_status command_main(int argc, char **argv);

/* Every option that `command` takes, shared ones first, as a flat table ending in a NULL name. `common` and `options`
 * are what the offsets become addresses in; both are NULL when the table is only shown. Caller frees; NULL: memory. */
struct opt *command_options(const struct command *command, struct common *common, void *options);

/* After a message that asks for a bug report, prints where to send it and what to attach. Does nothing if `address` is empty,
 * because the packager has not set one. */
void command_where_to_report(const char *message, const char *address);

/* `leadsync help`, and `leadsync help CMD`; the last line names `address`, unless it is empty. */
void command_help_all(FILE *out, const char *address);
int command_help(const struct command *command, FILE *out, struct err *e);
/* "unknown command", with the nearest name. Returns -1. */
int command_unknown(const char *name, struct err *e);
/* The same for a verb. NULL: the verb is missing. Returns -1. */
int command_verb_unknown(const struct command *family, const char *verb, struct err *e);
/* "missing SYNC", with the usage of the command. Returns -1. */
int command_needs_operand(const struct invocation *inv, struct err *e);
/* Flushes stdout. XS_IO: the disk is full, or the pipe was closed. */
int command_flush(struct err *e);

#endif
