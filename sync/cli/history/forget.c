/* `forget`: takes a person out of every state of the workspace, and puts a keyed hash on the workspace's list, so that no
 * sync brings the person back. The list is written first, so that the person is not mailed again even if a later step fails. */
#include "config.h"

#include "sync/base/jsonw.h"
#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/cli/commands.h"
#include "sync/cli/history/forget.h"
#include "sync/cli/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { QUESTION_BYTES = 1 << 16, BY_BYTES = 1 << 12 };

/* --list shows the list here; a CSV without a mapping into a list is found by the file's name. */
struct forget_options {
    bool undo, list, export;
    const char *campaign;
};

static const char *const formats[] = {"text", "json", NULL};

/* clang-format off */
static const struct opt options[] = {
    {.name = "undo", .kind = OPT_FLAG, .dest = OPT_AT(forget_options, undo),
     .help = "take the address off the list; removed data does not come back"},
    {.name = "list", .kind = OPT_FLAG, .dest = OPT_AT(forget_options, list),
     .help = "show the list: dates, hashes, and who forgot or undid"},
    {.name = "export", .kind = OPT_FLAG, .dest = OPT_AT(forget_options, export),
     .help = "print all that is known of the person as JSON; removes nothing"},
    {.name = "campaign", .kind = OPT_TEXT, .dest = OPT_AT(forget_options, campaign), .arg = "NAME|UUID",
     .help = "the campaign of the CSV file given as SYNC"},
    {.name = NULL},
};
/* clang-format on */

/* ---- texts ---- */

static uint64_t traces(const struct forget_state *s)
{
    return s->counts.leads + s->counts.others;
}

static int forget_add_counts(const struct forgotten *counts, struct buf *out)
{
    return buf_addf(out, "%" PRIu64 " lead%s and %" PRIu64 " other trace%s", counts->leads, text_plural(counts->leads),
                    counts->others, text_plural(counts->others));
}

static int add_workspace(const struct forget_call *f, struct buf *out)
{
    if (f->workspace == NULL)
        return buf_addf(out, "any workspace of %s", f->host);
    for (size_t i = 0; i < f->states_n; i++)
        if (f->states[i].workspace != NULL && f->states[i].workspace_name != NULL)
            return buf_addf(out, "workspace \"%s\" (%s)", f->states[i].workspace_name, f->workspace);
    return buf_addf(out, "workspace %s", f->workspace);
}

static struct forgotten total(const struct forget_call *f)
{
    struct forgotten sum = {0};
    for (size_t i = 0; i < f->states_n; i++) {
        sum.leads += f->states[i].counts.leads;
        sum.others += f->states[i].counts.others;
    }
    return sum;
}

static int add_states(const struct forget_call *f, const char *verb, struct buf *out)
{
    int bad = 0;
    for (size_t i = 0; i < f->states_n; i++) {
        const struct forget_state *s = &f->states[i];
        if (traces(s) == 0)
            continue;
        bad |= buf_addf(out, "sync %s: %s", s->sync, verb) | forget_add_counts(&s->counts, out) | buf_addc(out, '\n');
    }
    return bad;
}

/* ---- asking ---- */

static int must_have_terminal(const struct common *c, struct err *e)
{
    if (c->yes || c->dry_run || (c->terminal.in && c->terminal.err))
        return 0;
    return err_set(e, XS_USAGE,
                   "leadsync forget asks before it changes anything, and there is no terminal; give --yes, or "
                   "--dry-run to see what is known of this person");
}

static int is_on_list(struct forget_call *f, bool *on, struct err *e)
{
    const struct forget_scope scope = forget_call_scope(f);
    *on = false;
    for (size_t i = 0; i < f->folders_n && !*on; i++) {
        struct forget_list l;
        if (forget_list_load(f->folders[i], &l, e) != 0)
            return -1;
        *on = forget_list_find(&l, &scope, f->person.address) != NULL;
        forget_list_free(&l);
    }
    for (size_t i = 0; i < f->states_n && !*on; i++)
        *on = f->states[i].keys > 0;
    return 0;
}

static int add_question(const struct forget_call *f, struct buf *text)
{
    const struct forgotten sum = total(f);
    int bad;
    if (sum.leads + sum.others == 0) {
        bad = buf_addf(text, "no state knows %.*s; a typo would ban this address in ", STR_ARG(f->person.address)) |
              add_workspace(f, text) | buf_adds(text, "; forget it anyway?\n");
    } else {
        bad = buf_addf(text, "forget %.*s in ", STR_ARG(f->person.address)) | add_workspace(f, text) |
              buf_adds(text, "?\n") | add_states(f, "", text);
    }
    for (size_t i = 0; i < f->states_n; i++) {
        if (f->states[i].why == NULL)
            continue;
        bad |= buf_addf(text, "not looked into: %s\n", f->states[i].why);
    }
    return bad;
}

/* XS_USAGE: the answer was no. */
static int forget_ask(struct forget_call *f, struct err *e)
{
    struct buf text = BUF_INIT(QUESTION_BYTES);
    const struct forgotten sum = total(f);
    bool on = false;
    int rc = is_on_list(f, &on, e);
    size_t unread = 0;
    for (size_t i = 0; i < f->states_n; i++)
        unread += f->states[i].why != NULL;
    if (rc == 0 && on && sum.leads + sum.others == 0 && unread == 0) {
        log_notice("this address was forgotten before, and no state knows anything of it");
    } else if (rc == 0) {
        rc = add_question(f, &text) != 0 || buf_cstr(&text) == NULL ? err_oom(e) : 0;
        if (rc == 0 && !consent_ask(text.p))
            rc = err_set(e, XS_USAGE, "not confirmed: nothing was changed");
    }
    buf_free(&text);
    return rc;
}

/* ---- forgetting ---- */

/* Lists are written with the time and the user. */
static int forget_act(struct forget_call *f, struct forget_act *out, struct err *e)
{
    const struct run_actor *who = &f->actor.shown;
    out->at_ms = f->c->clock->wall_ms(f->c->clock);
    buf_reset(&f->by);
    if (buf_addf(&f->by, "%s@%s", who->user, who->host) != 0)
        return err_oom(e);
    out->by = buf_cstr(&f->by);
    return out->by != NULL ? 0 : err_oom(e);
}

static int add_to_lists(struct forget_call *f, bool *added, struct err *e)
{
    struct forget_act act;
    if (forget_act(f, &act, e) != 0)
        return -1;
    const struct forget_scope scope = forget_call_scope(f);
    *added = false;
    for (size_t i = 0; i < f->folders_n; i++) {
        bool new;
        if (forget_list_add(f->folders[i], &scope, f->person.address, &act, &new, e) != 0)
            return err_context(e, "nothing was removed");
        *added = *added || new;
    }
    return 0;
}

static int forget_show_json(const struct forget_call *f, bool added, struct buf *out)
{
    const struct forgotten sum = total(f);
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    jsonw_member_int(&w, "version", 1);
    jsonw_member_text(&w, "workspace", f->workspace);
    jsonw_member_bool(&w, "added", added);
    jsonw_member_uint(&w, "leads", sum.leads);
    jsonw_member_uint(&w, "others", sum.others);
    jsonw_member_array(&w, "states");
    for (size_t i = 0; i < f->states_n; i++) {
        const struct forget_state *s = &f->states[i];
        jsonw_object(&w);
        jsonw_member_text(&w, "state", s->path);
        jsonw_member_text(&w, "sync", s->sync);
        jsonw_member_text(&w, "workspace", s->workspace);
        jsonw_member_uint(&w, "leads", s->counts.leads);
        jsonw_member_uint(&w, "others", s->counts.others);
        jsonw_member_text(&w, "left", s->why);
        jsonw_object_end(&w);
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return jsonw_end(&w) | buf_addc(out, '\n');
}

static int forget_show_text(const struct forget_call *f, bool dry, struct buf *out)
{
    const struct forgotten sum = total(f);
    int bad = 0;
    if (sum.leads + sum.others == 0)
        bad = buf_adds(out, dry ? "no state knows this address\n" : "no state knew this address\n");
    bad |= add_states(f, dry ? "knows " : "removed ", out);
    if (dry)
        return bad;
    return bad | buf_adds(out, "this address is on the list of forgotten people; no sync of ") | add_workspace(f, out) |
           buf_adds(out, " brings this person back\n");
}

static int forget_show(const struct forget_call *f, bool added, struct out *out, struct err *e)
{
    bool json = f->c->output.format == FORMAT_JSON;
    int bad = json ? forget_show_json(f, added, &out->text) : forget_show_text(f, f->c->dry_run, &out->text);
    return bad != 0 ? err_oom(e) : out_commit(out, e);
}

/* Some states are as they were, or could not be read; each is named. */
static int left_over(const struct forget_call *f, const char *what, struct err *e)
{
    size_t n;
    enum exit_status status = forget_states_left(f, &n);
    if (n == 0)
        return 0;
    return err_set(e, status, "%s %zu of %zu state%s; solve the problem, then run the same command again", what, n,
                   f->states_n, text_plural(f->states_n));
}

static void report_what_stays(void)
{
    log_notice("other places may still hold this person; look there, too:\n"
               "the source, whose rows of this person are skipped from now on\n"
               "tables that results_to: and pull write, and files of -o, --report, pull, results, rejects and logs\n"
               "states in other folders (name each with --state), copies and backups of states\n"
               "Instantly: leadsync leads delete removes the lead");
}

static int forget(struct forget_call *f, struct out *out, struct err *e)
{
    bool added, asks = !f->c->yes;
    if (must_have_terminal(f->c, e) != 0 || forget_states_find(f, true, e) != 0 || (asks && forget_states_count(f, e) != 0))
        return -1;
    if (f->c->dry_run)
        return forget_show(f, false, out, e) != 0 ? -1 : left_over(f, "could not read", e);
    if (asks && forget_ask(f, e) != 0)
        return -1;
    if (add_to_lists(f, &added, e) != 0 || forget_states_erase(f, e) != 0 || forget_show(f, added, out, e) != 0)
        return -1;
    report_what_stays();
    return left_over(f, "this address is on the list, but not out of", e);
}

/* ---- the way back ---- */

/* XS_USAGE: the answer was no. An undo by mistake mails a person who had asked to be forgotten. */
static int undo_ask(struct forget_call *f, struct err *e)
{
    struct buf text = BUF_INIT(QUESTION_BYTES);
    int bad = buf_adds(&text, "let syncs of ") | add_workspace(f, &text) |
              buf_addf(&text, " add %.*s again?\n", STR_ARG(f->person.address));
    int rc = bad != 0 || buf_cstr(&text) == NULL ? err_oom(e) : 0;
    if (rc == 0 && !consent_ask(text.p))
        rc = err_set(e, XS_USAGE, "not confirmed: nothing was changed");
    buf_free(&text);
    return rc;
}

static int forget_undo(struct forget_call *f, struct out *out, struct err *e)
{
    uint64_t keys = 0;
    size_t lines = 0, left;
    struct forget_act act;
    if (must_have_terminal(f->c, e) != 0 || forget_states_find(f, true, e) != 0 || (!f->c->yes && undo_ask(f, e) != 0) ||
        forget_act(f, &act, e) != 0 || forget_states_undo(f, e) != 0)
        return -1;
    const struct forget_scope scope = forget_call_scope(f);
    for (size_t i = 0; i < f->folders_n; i++) {
        size_t n;
        if (forget_list_remove(f->folders[i], &scope, f->person.address, &act, &n, e) != 0)
            return -1;
        lines += n;
    }
    for (size_t i = 0, n = f->states_n; i < n; i++)
        keys += f->states[i].why == NULL ? f->states[i].keys : 0;
    if (lines == 0 && keys == 0 && forget_states_left(f, &left) == XS_DONE)
        return err_set(e, XS_USAGE, "%.*s is not on the list of forgotten people; check the spelling",
                       STR_ARG(f->person.address));
    if (f->c->output.format == FORMAT_JSON
            ? buf_addf(&out->text, "{\"version\":1,\"undone\":true}\n") != 0
            : buf_adds(&out->text, "this address is off the list of forgotten people; the next sync treats its "
                                   "rows as new ones and knows no earlier opt-out\n") != 0)
        return err_oom(e);
    return out_commit(out, e) != 0 ? -1 : left_over(f, "this address is off the list, but still forgotten in", e);
}

/* ---- the list ---- */

enum { C_FORGOTTEN_AT, C_HASH, C_WORKSPACE, C_LIST, C_FORGOTTEN_BY, C_UNDONE_AT, C_UNDONE_BY, COLUMN_N };
static const struct record_column columns[COLUMN_N] = {
    [C_FORGOTTEN_AT] = {RECORD_NAME("forgotten_at")}, [C_HASH] = {RECORD_NAME("hash")},
    [C_WORKSPACE] = {RECORD_NAME("workspace")},       [C_LIST] = {RECORD_NAME("list"), .left_out = RECORD_NOT_TEXT},
    [C_FORGOTTEN_BY] = {RECORD_NAME("forgotten_by")}, [C_UNDONE_AT] = {RECORD_NAME("undone_at")},
    [C_UNDONE_BY] = {RECORD_NAME("undone_by")},
};
/* clang-format off */
static const struct record_layout layout = {
    .columns = columns, .columns_n = COLUMN_N, .all_columns = true, .table_rows = SIZE_MAX, .json_between = ","};
/* clang-format on */

static int add_person(struct out *out, const struct forget_list *l, const struct forget_person *p, struct err *e)
{
    struct record_writer *w = &out->records;
    char at[TIME_TEXT_N], hash[2 * sizeof p->hash.b + 1];
    for (size_t i = 0; i < sizeof p->hash.b; i++)
        snprintf(hash + 2 * i, 3, "%02x", p->hash.b[i]);
    record_copy(w, C_FORGOTTEN_AT, str_from(time_format(p->forgotten.at_ms, at)));
    record_text(w, C_FORGOTTEN_BY, p->forgotten.by);
    if (p->undone.at_ms != 0)
        record_copy(w, C_UNDONE_AT, str_from(time_format(p->undone.at_ms, at)));
    record_text(w, C_UNDONE_BY, p->undone.by);
    record_copy(w, C_HASH, str_from(hash));
    record_text(w, C_WORKSPACE, p->workspace);
    record_text(w, C_LIST, l->path);
    return out_record(out, e);
}

static int by_time(const void *a, const void *b)
{
    const struct forget_person *const *x = a, *const *y = b;
    return ((*x)->forgotten.at_ms > (*y)->forgotten.at_ms) - ((*x)->forgotten.at_ms < (*y)->forgotten.at_ms);
}

static int add_list(struct forget_call *f, const char *folder, struct out *out, struct err *e)
{
    const struct forget_scope scope = forget_call_scope(f);
    struct forget_list l;
    if (forget_list_load(folder, &l, e) != 0)
        return -1;
    const struct forget_person **people = calloc(l.n + 1, sizeof *people);
    size_t n = 0;
    int rc = people != NULL ? 0 : err_oom(e);
    for (size_t i = 0; rc == 0 && i < l.n; i++)
        if (forget_list_concerns(&l.people[i], &scope))
            people[n++] = &l.people[i];
    if (rc == 0)
        qsort(people, n, sizeof *people, by_time);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_person(out, &l, people[i], e);
    free(people);
    forget_list_free(&l);
    return rc;
}

static int forget_list(struct forget_call *f, struct out *out, struct err *e)
{
    if (forget_states_find(f, false, e) != 0 || out_records(out, f->c, &layout, e) != 0)
        return -1;
    for (size_t i = 0; i < f->folders_n; i++)
        if (add_list(f, f->folders[i], out, e) != 0)
            return -1;
    return out_records_end(out, e) == 0 ? out_commit(out, e) : -1;
}

static int export(struct forget_call *f, struct out *out, struct err *e)
{
    if (forget_states_find(f, false, e) != 0 || forget_export(f, out, e) != 0 || out_commit(out, e) != 0)
        return -1;
    return left_over(f, "could not read", e);
}

/* ---- the command ---- */

static int forget_command(struct invocation *inv, struct err *e)
{
    const struct forget_options *o = inv->options;
    struct forget_call f = {.c = &inv->common};
    struct out out = {0};
    size_t sync_at = o->list ? 0 : 1;
    if (o->undo + o->list + o->export > 1)
        return err_set(e, XS_USAGE, "--undo, --list and --export exclude each other");
    if (o->undo && inv->common.dry_run)
        return err_set(e, XS_USAGE, "--undo has no dry run; leave out --dry-run (leadsync forget --list shows the list)");
    if (inv->operands_n < sync_at)
        return err_set(e, XS_USAGE, "missing EMAIL; usage: leadsync forget %s [OPTIONS]", inv->command->usage);
    if (inv->operands_n > sync_at + 1)
        return err_set(e, XS_USAGE, "--list shows all addresses; give no EMAIL with it");
    const char *email = o->list ? NULL : inv->operands[0];
    int rc = forget_call_open(&f, inv, email, inv->operands_n > sync_at ? inv->operands[sync_at] : NULL, o->campaign, e);
    buf_init(&f.by, BY_BYTES);
    if (rc == 0)
        rc = actor_find(inv, &f.actor, e);
    if (rc == 0)
        rc = out_open(&out, inv, o->export ? OUT_PRIVATE : OUT_PUBLIC, e);
    if (rc == 0)
        rc = o->undo     ? forget_undo(&f, &out, e)
             : o->list   ? forget_list(&f, &out, e)
             : o->export ? export(&f, &out, e)
                         : forget(&f, &out, e);
    out_abandon(&out);
    forget_call_close(&f);
    actor_free(&f.actor);
    buf_free(&f.by);
    return rc;
}

const struct command command_forget = {
    .name = "forget",
    .usage = "EMAIL [SYNC]",
    .summary = "remove a person from every state of a workspace, and from all later syncs",
    .help = "Removes everything known about the address from every state of the workspace in\n"
            "the state folder, and from the state of SYNC or --state: leads, results, rows to\n"
            "be retried and raw rows. Adds a keyed hash of the address to the workspace's\n"
            "list. From then on, every sync of the workspace skips the person's rows\n"
            "(skipped: deleted_there), even with --recreate.\n"
            "Asks first; without a terminal it needs --yes. A state that a run is using (75)\n"
            "or that has unsettled requests (73) stays unchanged; the list is written anyway.\n"
            "Nothing is deleted in Instantly or in the source.\n"
            "If the states belong to several workspaces, choose one with SYNC, --state or\n"
            "--workspace.",
    .examples = "leadsync forget ann@example.com\n"
                "leadsync forget --list",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_LOCK | GROUP_YES | GROUP_CONSENT,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct forget_options),
    .operands_max = 2,
    .run = forget_command,
};
