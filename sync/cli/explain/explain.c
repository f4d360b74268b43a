/* `explain`: what happened to one person or lead, and why. Reads states, Instantly and, if asked, the source; writes nothing. */
#include "config.h"

#include "sync/cli/explain/explain.h"

#include "mappings/mapping.h"
#include "sync/base/log.h"
#include "sync/cli/commands.h"

#include <string.h>

struct explain_options {
    bool read, offline;
};

static const char *const formats[] = {"text", "json", NULL};

/* clang-format off */
static const struct opt options[] = {
    {.name = "read", .kind = OPT_FLAG, .dest = OPT_AT(explain_options, read),
     .help = "read the source of SYNC, and show the row, each step of its mapping, and what the next sync would do"},
    {.name = "offline", .kind = OPT_FLAG, .dest = OPT_AT(explain_options, offline),
     .help = "do not ask Instantly where the lead is now; show what the states remember"},
    {.name = NULL},
};
/* clang-format on */

enum { ADDRESS_BYTES = 64 << 10, ARENA_BYTES = 1 << 30 };

/* A UUID is a lead's id; what reads as an address is one, and may be the row key as well; all else is a row key. */
static int explain_who(struct explain *x, const char *typed, struct err *e)
{
    x->who = str_trim(str_from(typed));
    if (x->who.n == 0)
        return err_set(e, XS_USAGE, "WHO is empty; give an address, a row key or a lead id");
    if (uuid_parse(x->who, &x->id) == 0) {
        x->query.lead_id = &x->id;
    } else if (memchr(x->who.p, '@', x->who.n) != NULL && mapping_email_key(x->who, &x->address) == 0) {
        if (mapping_email_unicode(buf_str(&x->address), &x->unicode) != 0)
            return err_oom(e);
        x->query.person = (struct person_name){.address = buf_str(&x->address), .unicode = buf_str(&x->unicode)};
    }
    x->query.key_text = x->who;
    return 0;
}

static int explain_show(struct explain *x, struct out *out, struct err *e)
{
    bool json = x->inv->common.output.format == FORMAT_JSON;
    if ((json ? explain_json(x, &out->text, e) : explain_text(x, &out->text, e)) != 0)
        return -1;
    return out_commit(out, e);
}

static int explain_collect(struct explain *x, const struct explain_options *o, const char *sync, struct runner *runner,
                           struct err *e)
{
    if (o->read && sync == NULL)
        return err_set(e, XS_USAGE, "--read needs SYNC, whose source it reads: leadsync explain WHO SYNC --read");
    /* With --read, a sync that has never run has no state. */
    struct err missing = ERR_INIT;
    int rc = explain_states_read(x, sync, &missing);
    if (rc != 0 && o->read && missing.status == XS_STATE)
        rc = 0;
    else if (rc != 0)
        err_set(e, missing.status, "%s", err_text(&missing));
    err_clear(&missing);
    if (rc == 0 && o->read)
        rc = explain_row_read(x, runner, e);
    if (rc == 0 && !o->offline)
        rc = explain_now_ask(x, o->read ? runner : NULL, e);
    return rc;
}

static int explain_command(struct invocation *inv, struct err *e)
{
    const struct explain_options *o = inv->options;
    struct explain x = {.inv = inv};
    struct runner runner = {.inv = inv};
    struct out out = {0};
    if (inv->operands_n == 0)
        return err_set(e, XS_USAGE, "missing WHO: an address, a row key or a lead id; usage: leadsync explain %s",
                       inv->command->usage);
    arena_init(&x.arena, ARENA_BYTES);
    buf_init(&x.address, ADDRESS_BYTES);
    buf_init(&x.unicode, ADDRESS_BYTES);
    target_names_init(&x.names);
    int rc = explain_who(&x, inv->operands[0], e);
    if (rc == 0)
        rc = out_open(&out, inv, OUT_PRIVATE, e);
    if (rc == 0)
        rc = explain_collect(&x, o, inv->operands_n > 1 ? inv->operands[1] : NULL, &runner, e);
    if (rc == 0)
        rc = explain_show(&x, &out, e);
    out_abandon(&out);
    runner_close(&runner);
    explain_states_close(&x);
    target_names_free(&x.names);
    buf_free(&x.address);
    buf_free(&x.unicode);
    arena_free(&x.arena);
    return rc;
}

const struct command command_explain = {
    .name = "explain",
    .usage = "WHO [SYNC]",
    .summary = "say why one person or lead is where it is, and what happened to it",
    .help = "WHO is an address, a row key or a lead id; of a rejected row without a valid\n"
            "address, it may be a cell. Looks through every state of the state folder, or that\n"
            "of SYNC or --state, and asks Instantly where the lead is now.\n"
            "Prints one sentence first; then what each sync remembers, what its next run would\n"
            "do, and every request that touched the lead, with run, time and outcome.\n"
            "Changes nothing. Without an API key, or with --offline, Instantly is not asked.",
    .examples = "leadsync explain ann@example.com\n"
                "leadsync explain ann@example.com people.yaml --read",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV | GROUP_CSV_READ | GROUP_SOURCE,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct explain_options),
    .operands_max = 2,
    .run = explain_command,
};
