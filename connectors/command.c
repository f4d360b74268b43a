/* Rows from any program's output, as CSV or NDJSON. Its exit status counts: rows that were read are not complete until it
 * has ended with 0. */
#include "config.h"

#include "connectors/csv/csvrows.h"
#include "connectors/drivers.h"
#include "connectors/ndjson.h"
#include "connectors/process.h"

#include <stdlib.h>
#include <string.h>

struct command_source {
    struct source base;
    char *label;
    struct clock *clock;
    struct process process;
    struct input in;
    struct csvrows *csv; /* one of the two */
    struct ndjson *ndjson;
};

static void command_close_source(struct source *self)
{
    struct command_source *s = (struct command_source *)self;

    csvrows_free(s->csv);
    ndjson_free(s->ndjson);
    process_close(&s->process, s->clock);
    free(s->label);
    free(s);
}

/* Output that ends in the middle is rather the program's failure than a mistake in the text: ask it first. */
static int blame(struct command_source *s, struct err *e)
{
    struct err exit_error = ERR_INIT;

    if (e->status == XS_SOURCE && s->in.ended && process_wait(&s->process, s->clock, s->label, &exit_error) != 0) {
        err_clear(e);
        *e = exit_error;
    }
    return -1;
}

static int open_rows(struct command_source *s, bool ndjson, const struct source_read *read, struct err *e)
{
    const size_t field_max = read->field_max;
    const struct csvrows_format format = {.rows_judged_alone = true, .header = true, .field_max = field_max};

    if (input_init(&s->in, s->process.out, s->label, e) != 0)
        return -1;
    s->in.deadline_us = s->process.deadline_us = read->deadline_us;
    s->base.delimiter = ',';
    if (ndjson) {
        if (ndjson_new(&s->in, field_max, &s->ndjson, e) != 0)
            return blame(s, e);
        s->base.columns = ndjson_columns(s->ndjson)->list;
        s->base.columns_n = ndjson_columns(s->ndjson)->n;
        return 0;
    }
    if (csvrows_new(&s->in, &format, &s->csv, e) != 0)
        return blame(s, e);
    s->base.columns = csvrows_columns(s->csv, &s->base.columns_n);
    s->base.delimiter = csvrows_delimiter(s->csv);
    return 0;
}

static int command_open_source(const struct source_spec *spec, const struct source_read *read, struct clock *clock,
                               struct source **out, struct err *e)
{
    const struct command_spec *command = &spec->as.command;
    struct command_source *s = calloc(1, sizeof *s);

    if (s == NULL)
        return err_oom(e);
    s->base.ops = &source_command;
    s->clock = clock;
    s->process = (struct process)PROCESS_NONE;
    if (command->argv == NULL || command->argv[0] == NULL) {
        err_set(e, XS_CONFIG, "command: argv: is empty; name the program");
        goto fail;
    }
    if (command->foreign != NULL) {
        err_set(e, XS_CONFIG,
                "%s: leadsync does not run its command, because another user owns the file or its folder, or "
                "can write to one of them; read the file, then make both yours alone (chown, chmod go-w)",
                command->foreign);
        goto fail;
    }
    /* The arguments stay out of messages, because they can hold secrets. */
    s->label = malloc(strlen(command->argv[0]) + sizeof "command ");
    if (s->label == NULL) {
        err_oom(e);
        goto fail;
    }
    (void)stpcpy(stpcpy(s->label, "command "), command->argv[0]);
    s->base.label = s->label;
    if (process_start(&s->process, command->argv, command->env, s->label, e) != 0 ||
        open_rows(s, command->ndjson, read, e) != 0)
        goto fail;
    *out = &s->base;
    return 0;

fail:
    command_close_source(&s->base);
    return -1;
}

static int command_next_row(struct source *self, struct row *out, struct err *e)
{
    struct command_source *s = (struct command_source *)self;
    int got = s->ndjson != NULL ? ndjson_next(s->ndjson, out, e) : csvrows_next(s->csv, out, e);

    self->bytes_read = s->in.bytes;
    if (got > 0)
        return 1;
    return got == 0 ? process_wait(&s->process, s->clock, s->label, e) : blame(s, e);
}

const struct source_ops source_command = {
    .name = "command",
    .open = command_open_source,
    .next = command_next_row,
    .close = command_close_source,
};
