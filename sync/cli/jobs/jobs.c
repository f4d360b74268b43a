/* `jobs`: background jobs of Instantly, ours and others'. The list of ours reads the state alone. */
#include "config.h"

#include "sync/cli/client.h"
#include "sync/cli/commands.h"
#include "sync/cli/jobs/job_list.h"
#include "sync/cli/jobs/jobs.h"
#include "sync/cli/args/state_arg.h"

#include <stdlib.h>

const char *jobs_sync_operand(const struct invocation *inv)
{
    for (size_t i = 0; i < inv->operands_n; i++)
        if (sync_arg_is(inv->operands[i]))
            return inv->operands[i];
    return NULL;
}

int jobs_ids(const struct invocation *inv, const char **ids, size_t *n, struct err *e)
{
    const char *sync = jobs_sync_operand(inv);
    *n = 0;
    for (size_t i = 0; i < inv->operands_n; i++) {
        if (inv->operands[i] == sync)
            continue;
        if (job_id_check(inv->operands[i], e) != 0)
            return -1;
        ids[(*n)++] = inv->operands[i];
    }
    return 0;
}

int jobs_one_id(const struct invocation *inv, const char **id, struct err *e)
{
    enum { SOME = 4 };
    const char *ids[SOME];
    size_t n = 0;
    if (inv->operands_n <= SOME && jobs_ids(inv, ids, &n, e) != 0)
        return -1;
    if (n != 1)
        return err_set(e, XS_USAGE, "%s; usage: leadsync %s %s [OPTIONS]",
                       n == 0 ? "missing ID of a job" : "give only one job", inv->command->name, inv->command->usage);
    *id = ids[0];
    return 0;
}

int jobs_open_state_if_any(const struct invocation *inv, struct state **out, struct err *e)
{
    const struct common *c = &inv->common;
    const char *sync = jobs_sync_operand(inv);
    char **paths;
    size_t n;
    *out = NULL;
    if (sync == NULL && c->state == NULL) {
        if (state_find_all(&paths, &n, e) != 0)
            return -1;
        for (size_t i = 0; i < n; i++)
            free(paths[i]);
        free(paths);
        if (n == 0)
            return 0;
    }
    return state_arg_open_sync(c, sync, STATE_READ, true, out, e);
}

/* ---- list ---- */

struct list_options {
    bool all;
};

/* clang-format off */
static const struct opt list_options[] = {
    {.name = "all", .kind = OPT_FLAG, .dest = OPT_AT(list_options, all),
     .help = "list all jobs of the workspace, through the API"},
    {.name = NULL},
};
/* clang-format on */

struct everything {
    struct job_views *ours, *all;
};

/* Instantly's order is kept, newest first; what is ours brings what is proved. */
static int jobs_on_job(void *ctx, const struct remote_job *job, struct err *e)
{
    struct everything *every = ctx;
    const struct job_view *known = job_views_find(every->ours, job->id);
    struct job_view *view = job_views_add(every->all, job->id, e);
    if (view == NULL)
        return -1;
    if (known != NULL) {
        const char *id = view->id;
        *view = *known;
        view->id = id;
    }
    return job_view_take(every->all, view, job, e);
}

static int list_all(const struct common *c, struct job_views *ours, struct job_views *all, struct err *e)
{
    struct everything every = {ours, all};
    struct client client;
    int rc = client_open(&client, c, true, true, e);
    if (rc == 0)
        rc = api_jobs_each(client.api, NULL, 0, jobs_on_job, &every, e);
    client_close(&client);
    return rc;
}

static int jobs_list_command(struct invocation *inv, struct err *e)
{
    const struct list_options *o = inv->options;
    struct job_views ours, all;
    struct state *state = NULL;
    int rc = -1;
    job_views_init(&ours);
    job_views_init(&all);
    if (inv->operands_n > 0 && jobs_sync_operand(inv) == NULL) {
        err_set(e, XS_USAGE, "\"%s\" is not a SYNC; usage: leadsync jobs list [SYNC] [OPTIONS]", inv->operands[0]);
        goto done;
    }
    rc = o->all ? jobs_open_state_if_any(inv, &state, e) : state_arg_open(inv, &state, e);
    if (rc == 0 && state != NULL)
        rc = job_views_ours(&ours, state, e);
    if (rc == 0 && o->all)
        rc = list_all(&inv->common, &ours, &all, e);
    if (rc == 0)
        rc = job_list_print(inv, state, o->all ? &all : &ours,
                            o->all ? "the workspace has no background jobs\n"
                                   : "no background job was started here (--all lists the workspace's)\n",
                            e);
done:
    state_close(state);
    job_views_free(&ours);
    job_views_free(&all);
    return rc;
}

static const struct command verb_list = {
    .name = "jobs list",
    .usage = "[SYNC]",
    .summary = "list the background jobs that leadsync started",
    .help = "Lists jobs from the state, newest first. The success column counts leads that\n"
            "are proved to have moved. --all lists every job of the workspace through the\n"
            "API; for jobs that leadsync did not start, it shows the counts that Instantly\n"
            "reports.",
    .examples = "leadsync jobs list nightly.yaml\n"
                "leadsync jobs list --all",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV | GROUP_TIME,
    .formats = job_list_formats,
    .options = list_options,
    .options_bytes = sizeof(struct list_options),
    .operands_max = 1,
    .run = jobs_list_command,
};

static const struct command *const verbs[] = {&verb_list, &command_jobs_show, &command_jobs_wait, &command_jobs_entries,
                                              NULL};

const struct command command_jobs = {
    .name = "jobs",
    .usage = "[VERB]",
    .summary = "list background jobs, wait for them, and show what happened to each lead",
    .help = "Instantly moves leads in background jobs. The state records the jobs that\n"
            "leadsync started, lead by lead; other jobs can be listed, shown and waited for.\n"
            "These commands change nothing: leadsync resume or the next sync settles what a\n"
            "job did.",
    .examples = "leadsync jobs\n"
                "leadsync jobs wait --max-seconds 600",
    .verbs = verbs,
    .verb_default = &verb_list,
};
