/* `check`: verifies everything that can be verified without writing. Each finding is one line. */
#include "config.h"

#include "sync/preflight/check.h"

#include "sync/base/jsonw.h"
#include "sync/base/text.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/args/csv_name.h"
#include "sync/cli/run/runner.h"

#include <stdlib.h>

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

/* The callback for findings cannot fail, so it remembers an error. */
struct findings {
    const struct invocation *inv;
    struct out out;
    struct jsonw json;
    bool failed;
};

static void found_text(struct findings *f, const struct level_row *level, const struct finding *finding)
{
    bool colour = f->inv->common.terminal.colour_out && *level->colour != '\0';
    struct buf *out = &f->out.text;
    if (buf_addf(out, "%s%s%s  %s: ", colour ? level->colour : "", level->mark, colour ? "\033[0m" : "", finding->what) != 0)
        f->failed = true;
    /* A finding may have lines (candidates of a name); the later ones are indented. */
    for (const char *line = finding->text; line != NULL && !f->failed;) {
        const char *end = line;
        while (*end != '\0' && *end != '\n')
            end++;
        if (text_show((struct str){line, (size_t)(end - line)}, 0, out) != 0 ||
            buf_adds(out, *end != '\0' ? "\n         " : "\n") != 0)
            f->failed = true;
        line = *end != '\0' ? end + 1 : NULL;
    }
}

static void found(void *ctx, const struct finding *finding)
{
    struct findings *f = ctx;
    const struct level_row *level = &levels[finding->level];
    struct err ignored = ERR_INIT; /* The commit reports it again. */
    if (f->inv->common.output.format == FORMAT_TEXT) {
        found_text(f, level, finding);
        if (out_flush(&f->out, true, &ignored) != 0)
            f->failed = true;
        err_clear(&ignored);
        return;
    }
    jsonw_object(&f->json);
    jsonw_member_text(&f->json, "level", level->name);
    jsonw_member_text(&f->json, "what", finding->what);
    jsonw_member_text(&f->json, "text", finding->text);
    jsonw_object_end(&f->json);
}

static int finish(struct findings *f, struct err *e)
{
    if (f->inv->common.output.format == FORMAT_JSON) {
        jsonw_array_end(&f->json);
        if (jsonw_end(&f->json) != 0 || buf_addc(&f->out.text, '\n') != 0)
            f->failed = true;
    }
    if (out_commit(&f->out, e) != 0)
        return -1;
    return f->failed ? err_set(e, XS_IO, "not all findings could be written") : 0;
}

static int check_command(struct invocation *inv, struct err *e)
{
    struct runner runner;
    struct findings f = {.inv = inv};
    struct err late = ERR_INIT;
    char *likely = NULL;
    if (inv->operands_n == 0)
        return command_needs_operand(inv, e);
    /* Without a key only local checks run. */
    int rc = runner_open(&runner, inv, false, true, e);
    if (rc == 0)
        rc = out_open(&f.out, inv, OUT_PUBLIC, e);
    if (rc != 0)
        goto done;
    runner.config.likely_state = likely = csv_name_likely_state(&inv->common, runner.config.mapping);
    jsonw_init_output(&f.json, &f.out.text);
    if (inv->common.output.format == FORMAT_JSON)
        jsonw_array(&f.json);
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
    .groups = GROUP_OUTPUT | GROUP_URL | GROUP_KEY | GROUP_STATE | GROUP_CSV | GROUP_SOURCE,
    .formats = formats,
    .operands_max = 1,
    .run = check_command,
};
