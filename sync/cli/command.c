/* Finds the command in argv, parses its options and runs it. All that help, completion and parsing need is in its struct command;
 * this file only walks the table. */
#include "config.h"

#include "sync/cli/command.h"

#include "sync/base/buf.h"
#include "sync/base/file.h"
#include "sync/base/log.h"
#include "sync/cli/commands.h"
#include "sync/cli/out_check.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    COMMANDS_MAX = 64,
    VERB_LIST_BYTES = 1024,
    WORD_MAX = 32,
    HELP_COLUMNS = 80,
    HELP_COLUMNS_MAX = 110,
    LINE_BYTES = 4096
};

const struct command *const command_table[] = {
    &command_init,    &command_preview, &command_check,     &command_diff, &command_sync,   &command_apply,
    &command_resume,  &command_verify,  &command_adopt,     &command_pull, &command_status, &command_jobs,
    &command_results, &command_explain, &command_rejects,   &command_move, &command_leads,  &command_forget,
    &command_schema,  &command_sandbox, &command_help_page, NULL,
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; command_table[i] != NULL; i++)
        if (strcmp(command_table[i]->name, name) == 0)
            return command_table[i];
    return NULL;
}

const char *command_verb_word(const struct command *family, const struct command *verb)
{
    return verb->name + strlen(family->name) + 1;
}

const struct command *command_verb_find(const struct command *family, const char *verb)
{
    for (size_t i = 0; family->verbs[i] != NULL; i++)
        if (strcmp(command_verb_word(family, family->verbs[i]), verb) == 0)
            return family->verbs[i];
    return NULL;
}

/* ---- tables ---- */

static size_t table_rows(const struct opt *table)
{
    size_t n = 0;
    while (table != NULL && table[n].name != NULL)
        n++;
    return n;
}

/* True if the command uses the group. All commands use group 0. A command whose SYNC may be a CSV accepts every setting of one, so
 * that the words of its sync can be given again, and shows those that matter to it. */
static bool takes_group(const struct command *command, const struct common_group *group, bool shown)
{
    bool accepted = (group->group & (GROUP_CSV_READ | GROUP_CSV_SEND)) != 0 && (command->groups & GROUP_CSV) != 0;
    return group->group == 0 || (command->groups & group->group) != 0 || (accepted && !shown);
}

/* Copies rows and turns their offsets into addresses. Returns the end of the copied rows. Options without help exist only to be
 * refused, so they are parsed but not shown. */
static struct opt *add_rows(struct opt *to, const struct opt *from, enum opt_section section, void *base)
{
    for (; from != NULL && from->name != NULL; from++) {
        if (from->help == NULL && base == NULL)
            continue;
        *to = *from;
        to->dest = base != NULL ? (char *)base + (uintptr_t)from->dest : NULL;
        if (to->section == OPT_INHERIT)
            to->section = section;
        to++;
    }
    return to;
}

struct opt *command_options(const struct command *command, struct common *common, void *options)
{
    size_t rows = table_rows(command->options);
    for (const struct common_group *g = common_groups; g->options != NULL; g++)
        rows += takes_group(command, g, common == NULL) ? table_rows(g->options) : 0;
    struct opt *all = calloc(rows + 1, sizeof *all);
    if (all == NULL)
        return NULL;
    struct opt *to = add_rows(all, command->options, OPT_WHAT, options);
    for (const struct common_group *g = common_groups; g->options != NULL; g++)
        if (takes_group(command, g, common == NULL))
            to = add_rows(to, g->options, g->section, common);
    /* The command has the list of formats. A command without formats has no --format. */
    for (struct opt *row = all; row < to; row++)
        if (strcmp(row->name, "format") == 0) {
            row->choices = command->formats;
            if (command->formats == NULL) {
                memmove(row, row + 1, (size_t)(to - row - 1) * sizeof *row);
                memset(--to, 0, sizeof *to);
                row--;
            }
        }
    return all;
}

/* ---- help ---- */

static unsigned help_columns(void)
{
    struct common c;
    common_init(&c);
    if (common_finish(&c, 0, NULL, &(struct err)ERR_INIT) != 0 || c.terminal.columns == 0)
        return HELP_COLUMNS;
    return c.terminal.columns < HELP_COLUMNS_MAX ? c.terminal.columns : HELP_COLUMNS_MAX;
}

void command_help_all(FILE *out, const char *address)
{
    fputs("usage: leadsync COMMAND [SYNC] [OPTIONS]\n\n"
          "Copies leads in bulk from a CSV file or a database into an Instantly workspace, keeps them in step, and\n"
          "shows what happened to each row. SYNC is a mapping file (*.yaml), or a *.csv file with --campaign or\n"
          "--list.\n\ncommands:\n",
          out);
    for (size_t i = 0; command_table[i] != NULL; i++)
        fprintf(out, "  %-10s %s\n", command_table[i]->name, command_table[i]->summary);
    fputs("\nleadsync help COMMAND shows the options of a command; man leadsync describes everything.\n\nexit status:\n",
          out);
    for (const struct exit_status_row *row = exit_status_table; row->text != NULL; row++)
        fprintf(out, "  %3d  %s\n", (int)row->status, row->text);
    fputs("\nexamples:\n"
          "  leadsync preview people.csv\n"
          "  leadsync diff people.csv --campaign \"Q4 founders\"\n"
          "  leadsync sync people.csv --campaign \"Q4 founders\"\n"
          "  leadsync init people.csv -o people.yaml\n",
          out);
    if (*address != '\0')
        fprintf(out, "\nreport bugs to %s\n", address);
}

static void help_examples(const struct command *command, FILE *out)
{
    fputs("\nexamples:\n", out);
    for (const char *line = command->examples; line != NULL && *line != '\0';) {
        size_t n = strcspn(line, "\n");
        fprintf(out, "  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void help_family(const struct command *family, FILE *out)
{
    bool may_lack = family->verb_default != NULL;
    fprintf(out, "usage: leadsync %s %sVERB%s [OPTIONS]\n\n%s\n\nverbs:\n", family->name, may_lack ? "[" : "",
            may_lack ? "]" : "", family->help);
    for (size_t i = 0; family->verbs[i] != NULL; i++)
        fprintf(out, "  %-11s %s\n", command_verb_word(family, family->verbs[i]), family->verbs[i]->summary);
    if (may_lack)
        fprintf(out, "\nWithout VERB: %s.", command_verb_word(family, family->verb_default));
    fprintf(out, "\nleadsync help %s VERB shows the options of a verb.\n", family->name);
    help_examples(family, out);
}

int command_help(const struct command *command, FILE *out, struct err *e)
{
    if (command->verbs != NULL) {
        help_family(command, out);
        return 0;
    }
    struct opt *options = command_options(command, NULL, NULL);
    if (options == NULL)
        return err_oom(e);
    const struct opt *const tables[] = {options, NULL};
    fprintf(out, "usage: leadsync %s%s%s [OPTIONS]\n\n%s\n\n", command->name, *command->usage != '\0' ? " " : "",
            command->usage, command->help);
    opt_help(out, tables, help_columns());
    free(options);
    if (command->help_more != NULL && command->help_more(out, e) != 0)
        return -1;
    help_examples(command, out);
    return 0;
}

/* ---- running ---- */

/* Flushes stdout, because errors such as a full disk only show then. */
int command_flush(struct err *e)
{
    struct output out;
    if (output_open(&out, NULL, 0644, e) != 0)
        return -1;
    return output_commit(&out, e);
}

int command_needs_operand(const struct invocation *inv, struct err *e)
{
    return err_set(e, XS_USAGE, "missing SYNC; usage: leadsync %s %s [OPTIONS]", inv->command->name, inv->command->usage);
}

static int run_parsed(struct invocation *inv, struct err *e)
{
    const struct command *command = inv->command;
    if (inv->common.help) {
        return command_help(command, stdout, e) == 0 ? command_flush(e) : -1;
    }
    if (inv->common.version) {
        puts("leadsync " PACKAGE_VERSION);
        return command_flush(e);
    }
    if (common_finish(&inv->common, command->groups, command->formats, e) != 0)
        return -1;
    if (inv->operands_n > command->operands_max)
        return err_set(e, XS_USAGE, "unexpected argument \"%s\"; usage: leadsync %s%s%s [OPTIONS]",
                       inv->operands[command->operands_max], command->name, *command->usage != '\0' ? " " : "",
                       command->usage);
    return out_check(inv, e) != 0 ? -1 : command->run(inv, e);
}

/* The command line for the records of runs. It begins with "leadsync", not with the path in argv[0]. */
static int note_line(struct invocation *inv, int argc, char **argv, const struct opt *const *tables, struct err *e)
{
    struct buf line = BUF_INIT(SIZE_MAX);
    int bad = buf_addf(&line, "leadsync %s", inv->command->name) || opt_show(argc, argv, tables, LINE_BYTES, &line) != 0;
    const char *text = bad ? NULL : buf_cstr(&line);
    inv->line = text != NULL ? strdup(text) : NULL;
    buf_free(&line);
    return inv->line != NULL ? 0 : err_oom(e);
}

/* `argv[0]` is the command's name, the rest are its arguments. */
static int run_command(const struct command *command, int argc, char **argv, struct invocation *inv, struct err *e)
{
    struct opt *options = NULL;
    int rc = -1;
    inv->command = command;
    common_init(&inv->common);
    common_log(&inv->common, NULL);
    inv->options = calloc(1, command->options_bytes + 1);
    if (inv->options == NULL) {
        err_oom(e);
        goto done;
    }
    if (command->defaults != NULL)
        memcpy(inv->options, command->defaults, command->options_bytes);
    options = command_options(command, &inv->common, inv->options);
    if (options == NULL) {
        err_oom(e);
        goto done;
    }
    const struct opt *const tables[] = {options, NULL};
    if (opt_parse(argc, argv, tables, &inv->operands, &inv->operands_n, e) != 0 ||
        note_line(inv, argc, argv, tables, e) != 0)
        goto done;
    rc = run_parsed(inv, e);
done:
    for (struct opt *row = options; row != NULL && row->name != NULL; row++)
        if (row->kind == OPT_LIST)
            opt_list_free(row->dest);
    free(options);
    free(inv->options);
    free(inv->operands);
    free(inv->line);
    common_free(&inv->common);
    return rc;
}

/* What other tools call a command, or NULL. */
static const char *other_word(const char *name)
{
    static const struct {
        const char *words, *command;
    } others[] = {
        {"|undo|rollback|revert|", "\"leads delete --run ID\", which deletes what a run created"},
        {"|delete|remove|", "\"leads delete\""},
        {"|report|log|history|", "\"results\", or \"status\" for the list of runs"},
        {"|list|search|find|", "\"leads list\""},
        {"|import|upload|run|push|", "\"sync\""},
        {"|export|", "\"leads list --format csv\""},
    };
    char quoted[WORD_MAX];
    int n = snprintf(quoted, sizeof quoted, "|%s|", name);
    for (size_t i = 0; n > 2 && n < WORD_MAX && strchr(name, '|') == NULL && i < sizeof others / sizeof others[0]; i++)
        if (strstr(others[i].words, quoted) != NULL)
            return others[i].command;
    return NULL;
}

int command_unknown(const char *name, struct err *e)
{
    const char *names[COMMANDS_MAX];
    size_t n = 0;
    for (; command_table[n] != NULL && n < COMMANDS_MAX; n++)
        names[n] = command_table[n]->name;
    if (*name == '-')
        return err_set(e, XS_USAGE, "options follow the command; run: leadsync help");
    const char *other = other_word(name);
    if (other != NULL)
        return err_set(e, XS_USAGE, "unknown command \"%s\"; the command is %s", name, other);
    const char *nearest = str_nearest(str_from(name), names, n);
    if (nearest != NULL)
        return err_set(e, XS_USAGE, "unknown command \"%s\"; did you mean \"%s\"?", name, nearest);
    return err_set(e, XS_USAGE, "unknown command \"%s\"; run: leadsync help", name);
}

int command_verb_unknown(const struct command *family, const char *verb, struct err *e)
{
    const char *names[COMMANDS_MAX];
    size_t n = 0;
    struct buf list = BUF_INIT(VERB_LIST_BYTES);
    for (; family->verbs[n] != NULL && n < COMMANDS_MAX; n++) {
        names[n] = command_verb_word(family, family->verbs[n]);
        if (buf_addf(&list, "%s%s", n > 0 ? ", " : "", names[n]) != 0)
            break; /* The first names are enough. */
    }
    const char *all = buf_cstr(&list), *nearest = verb != NULL ? str_nearest(str_from(verb), names, n) : NULL;
    if (verb == NULL)
        err_set(e, XS_USAGE, "leadsync %s: missing VERB; expected one of %s", family->name, all != NULL ? all : "its verbs");
    else if (*verb == '-')
        err_set(e, XS_USAGE, "options follow the verb; leadsync %s expects one of %s", family->name,
                all != NULL ? all : "its verbs");
    else if (nearest != NULL)
        err_set(e, XS_USAGE, "leadsync %s has no verb \"%s\"; did you mean \"%s\"?", family->name, verb, nearest);
    else
        err_set(e, XS_USAGE, "leadsync %s has no verb \"%s\"; expected one of %s", family->name, verb,
                all != NULL ? all : "its verbs");
    buf_free(&list);
    return -1;
}

/* True if the word belongs to the default verb: an option, a file name, or none. */
static bool is_no_verb(const char *word)
{
    return word == NULL || *word == '-' || strpbrk(word, "./") != NULL;
}

/* `argv[0]` is the family's name. */
static int run_family(const struct command *family, int argc, char **argv, struct invocation *inv, struct err *e)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    if (word != NULL && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
        help_family(family, stdout);
        return command_flush(e);
    }
    const struct command *verb = word != NULL ? command_verb_find(family, word) : NULL;
    if (verb != NULL)
        return run_command(verb, argc - 1, argv + 1, inv, e);
    if (family->verb_default != NULL && is_no_verb(word))
        return run_command(family->verb_default, argc, argv, inv, e);
    return command_verb_unknown(family, word, e);
}

static int run_argv(int argc, char **argv, struct invocation *inv, struct err *e)
{
    if (argc < 2) {
        command_help_all(stderr, PACKAGE_BUGREPORT);
        return err_set(e, XS_USAGE, "no command given");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        command_help_all(stdout, PACKAGE_BUGREPORT);
        return command_flush(e);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("leadsync " PACKAGE_VERSION);
        return command_flush(e);
    }
    const struct command *command = command_find(argv[1]);
    if (command == NULL)
        return command_unknown(argv[1], e);
    return command->verbs != NULL ? run_family(command, argc - 1, argv + 1, inv, e)
                                  : run_command(command, argc - 1, argv + 1, inv, e);
}

/* Ignores a closed pipe, as in `leadsync results | head`. A command that writes to Instantly reports it, because its last messages
 * were not read. */
static bool reader_closed_pipe(const struct invocation *inv, const struct err *e)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    bool writes = inv->command != NULL && (inv->command->groups & GROUP_YES) != 0;
    return e->status == XS_IO && !writes && ferror(stdout) && poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

void command_where_to_report(const char *message, const char *address)
{
    if (*address != '\0' && strstr(message, "please report") != NULL)
        log_error(
            "report it to %s; attach the version, the command, this message and the mapping, never the key or lead data",
            address);
}

enum exit_status command_main(int argc, char **argv)
{
    struct invocation inv = {.status = XS_DONE};
    struct err e = ERR_INIT;
    enum exit_status status;
    if (run_argv(argc, argv, &inv, &e) == 0) {
        status = inv.status;
    } else {
        if (!reader_closed_pipe(&inv, &e))
            log_error("%s", err_text(&e));
        command_where_to_report(err_text(&e), PACKAGE_BUGREPORT);
        status = e.status;
    }
    err_clear(&e);
    return status;
}
