/* `help`: shows all commands or one, and prints the possible next words for shell completion. */
#include "config.h"

#include "sync/base/file.h"
#include "sync/cli/commands.h"

#include <stdlib.h>
#include <string.h>

struct help_options {
    bool words;
};

/* clang-format off */
static const struct opt options[] = {
    {.name = "words", .kind = OPT_FLAG, .dest = OPT_AT(help_options, words),
     .help = "print only the possible next words, one per line, for shell completion"},
    {.name = NULL},
};
/* clang-format on */

static int print_words(const struct command *command, struct err *e)
{
    if (command == NULL) {
        for (size_t i = 0; command_table[i] != NULL; i++)
            puts(command_table[i]->name);
        return 0;
    }
    for (size_t i = 0; command->verbs != NULL && command->verbs[i] != NULL; i++)
        puts(command_verb_word(command, command->verbs[i]));
    if (command->verbs != NULL)
        command = command->verb_default;
    if (command == NULL)
        return 0;
    struct opt *all = command_options(command, NULL, NULL);
    if (all == NULL)
        return err_oom(e);
    for (const struct opt *row = all; row->name != NULL; row++)
        printf("--%s\n", row->name);
    free(all);
    return 0;
}

static int help_command(struct invocation *inv, struct err *e)
{
    const struct help_options *o = inv->options;
    const struct command *command = NULL;
    if (inv->operands_n > 0) {
        command = command_find(inv->operands[0]);
        if (command == NULL)
            return command_unknown(inv->operands[0], e);
    }
    if (inv->operands_n > 1) {
        if (command->verbs == NULL)
            return err_set(e, XS_USAGE, "unexpected argument \"%s\"; %s has no verbs", inv->operands[1], command->name);
        const struct command *verb = command_verb_find(command, inv->operands[1]);
        if (verb == NULL)
            return command_verb_unknown(command, inv->operands[1], e);
        command = verb;
    }
    int rc = 0;
    if (o->words)
        rc = print_words(command, e);
    else if (command != NULL)
        rc = command_help(command, stdout, e);
    else
        command_help_all(stdout, PACKAGE_BUGREPORT);
    return rc == 0 ? command_flush(e) : -1;
}

const struct command command_help_page = {
    .name = "help",
    .usage = "[COMMAND [VERB]]",
    .summary = "show the commands, or the options of one",
    .help = "Without COMMAND, lists the commands and the exit statuses.",
    .examples = "leadsync help sync\n"
                "leadsync help leads add",
    .options = options,
    .options_bytes = sizeof(struct help_options),
    .operands_max = 2,
    .run = help_command,
};
