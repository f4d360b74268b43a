/* `check`: verifies everything that can be verified without writing. Each finding is one line. */
#include "config.h"

#include "sync/preflight/check.h"

#include "sync/base/text.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/args/csv_name.h"
#include "sync/cli/run/runner.h"

#include <stdlib.h>
#include <string.h>

static const char *const formats[] = {"text", "json", NULL};

static const struct level_row {
    const char *name;
    const char *mark, *colour;
} levels[] = {
    [FINDING_OK] = {"ok", "ok     ", "\033[32m"},
    [FINDING_NOTICE] = {"notice", "notice ", ""},
    [FINDING_WARNING] = {"warning", "warning", "\033[33m"},
    [FINDING_ERROR] = {"error", "error  ", "\033[31m"},
};

enum { C_LEVEL, C_WHAT, C_TEXT, COLUMN_N };
static const struct record_column columns[COLUMN_N] = {
    [C_LEVEL] = {RECORD_NAME("level")},
    [C_WHAT] = {RECORD_NAME("what")},
    [C_TEXT] = {RECORD_NAME("text"), .kind = RECORD_CELL},
};
static const struct record_layout layout = {.columns = columns, .columns_n = COLUMN_N, .none = "", .json_between = ","};

/* The callback for findings cannot fail, so it remembers an error. */
struct findings {
    struct out out;
    bool failed;
};

/* A finding may have lines (candidates of a name); the later ones are indented. */
static int found_lines(struct record_writer *w, const struct level_row *level, const struct finding *finding)
{
    struct buf *out = record_lines(w);
    bool colour = w->colours && *level->colour != '\0';
    int bad = buf_addf(out, "%s%s%s  %s: ", colour ? level->colour : "", level->mark, colour ? "\033[0m" : "",
                       finding->what);
    for (const char *line = finding->text; line != NULL && bad == 0;) {
        size_t n = strcspn(line, "\n");
        bool last = line[n] == '\0';
        bad |= text_show((struct str){line, n}, 0, out) | buf_adds(out, last ? "\n" : "\n         ");
        line = last ? NULL : line + n + 1;
    }
    return bad;
}

static void found(void *ctx, const struct finding *finding)
{
    struct findings *f = ctx;
    struct record_writer *w = &f->out.records;
    const struct level_row *level = &levels[finding->level];
    struct err ignored = ERR_INIT; /* The commit reports it again. */
    record_text(w, C_LEVEL, level->name);
    record_text(w, C_WHAT, finding->what);
    record_text(w, C_TEXT, finding->text);
    if (w->format == RECORD_TEXT && found_lines(w, level, finding) != 0)
        f->failed = true;
    /* Text appears at once, because a check can take long. */
    if (record_end(w) != 0 || out_flush(&f->out, w->format == RECORD_TEXT, &ignored) != 0)
        f->failed = true;
    err_clear(&ignored);
}

static int finish(struct findings *f, struct err *e)
{
    if (out_records_end(&f->out, e) != 0 || out_commit(&f->out, e) != 0)
        return -1;
    return f->failed ? err_set(e, XS_IO, "not all findings could be written") : 0;
}

static int check_command(struct invocation *inv, struct err *e)
{
    struct runner runner;
    struct findings f = {0};
    struct err late = ERR_INIT;
    char *likely = NULL;
    if (inv->operands_n == 0)
        return command_needs_operand(inv, e);
    /* Without a key only local checks run. */
    int rc = runner_open(&runner, inv, false, true, e);
    if (rc == 0)
        rc = out_open(&f.out, inv, OUT_PUBLIC, e);
    if (rc == 0)
        rc = out_records(&f.out, &inv->common, &layout, e);
    if (rc != 0)
        goto done;
    runner.config.likely_state = likely = csv_name_likely_state(&inv->common, runner.config.mapping);
    rc = check_run(&runner.config, found, &f, e);
    /* The findings are printed even if the check fails. */
    if (finish(&f, &late) != 0 && rc == 0)
        rc = err_take(e, &late);
done:
    err_clear(&late);
    out_abandon(&f.out);
    runner_close(&runner);
    free(likely);
    return rc;
}

const struct command command_check = {
    .name = "check",
    .usage = "SYNC",
    .summary = "verify mapping, source, key, plan, target and variables without writing",
    .help = "Verifies everything that can be verified without changing anything, and reports\n"
            "what would stop or disturb a sync. The exit status is that of the worst finding;\n"
            "rejected rows do not count.",
    .examples = "leadsync check people.yaml\n"
                "leadsync check people.csv --campaign \"Q4 founders\"",
    .groups = GROUP_OUTPUT | GROUP_URL | GROUP_KEY | GROUP_STATE | GROUP_CSV | GROUP_CSV_READ | GROUP_CSV_SEND |
              GROUP_SOURCE,
    .formats = formats,
    .operands_max = 1,
    .run = check_command,
};
