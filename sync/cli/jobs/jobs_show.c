/* `jobs show`: one background job, by what the state has proved and by what Instantly says. */
#include "config.h"

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/cli/client.h"
#include "sync/cli/jobs/job_entries.h"
#include "sync/cli/jobs/jobs.h"
#include "sync/cli/out.h"

#include <inttypes.h>

static const char *const formats[] = {"text", "json", NULL};

struct shown {
    const struct invocation *inv;
    struct state *state; /* NULL: none */
    struct job_views views;
    struct job_view *job;
    struct job_entries entries;
    size_t counts[ENTRY_STATUS_N]; /* of entries by completion */
};

/* ---- looking ---- */

static int jobs_show_on_job(void *ctx, const struct remote_job *job, struct err *e)
{
    struct shown *s = ctx;
    return job_view_take(&s->views, s->job, job, e);
}

/* A job that is over and settled needs no question; for one of ours a key is welcome, for others' it is needed. */
static int jobs_show_ask(struct shown *s, struct err *e)
{
    struct client client;
    int rc = client_open(&client, &s->inv->common, !s->job->ours, true, e);
    if (rc > 0)
        log_notice("showing the job as last seen; give an API key to ask Instantly");
    else if (rc == 0) {
        int found = api_job_find(client.api, str_from(s->job->id), jobs_show_on_job, s, e);
        s->job->absent = found == 0;
        rc = found < 0 ? -1 : 0;
    }
    client_close(&client);
    if (rc == 0 && s->job->absent && !s->job->ours)
        return err_set(e, XS_USAGE,
                       "neither Instantly nor a state here knows a background job %s; leadsync jobs list "
                       "--all shows those of the workspace",
                       s->job->id);
    return rc < 0 ? -1 : 0;
}

static int jobs_show_look(struct shown *s, const char *id, struct err *e)
{
    if (s->state != NULL && job_views_ours(&s->views, s->state, e) != 0)
        return -1;
    s->job = job_views_find(&s->views, str_from(id));
    if (s->job == NULL && (s->job = job_views_add(&s->views, str_from(id), e)) == NULL)
        return -1;
    if (!(s->job->ours && job_view_over(s->job)) && jobs_show_ask(s, e) != 0)
        return -1;
    if (!s->job->ours)
        return 0;
    if (job_entries_read(&s->entries, s->state, s->job, e) != 0)
        return -1;
    for (size_t i = 0; i < s->entries.n; i++)
        s->counts[s->entries.v[i].completion]++;
    return 0;
}

/* ---- showing ---- */

static int jobs_show_json(const struct shown *s, struct buf *out)
{
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    job_view_json(&w, s->job);
    if (s->job->ours) {
        jsonw_member_object(&w, "entries");
        jsonw_member_count(&w, "total", (int64_t)s->entries.n);
        for (int i = 0; i < ENTRY_STATUS_N; i++)
            jsonw_member_count(&w, entry_status_names[i], (int64_t)s->counts[i]);
        jsonw_object_end(&w);
    } else {
        jsonw_member_null(&w, "entries");
    }
    if (s->job->reported) {
        jsonw_member_object(&w, "told");
        jsonw_member_count(&w, "total", s->job->reported_total);
        jsonw_member_count(&w, "success", s->job->reported_success);
        jsonw_member_count(&w, "failed", s->job->reported_failed);
        jsonw_object_end(&w);
    } else {
        jsonw_member_null(&w, "told");
    }
    jsonw_object_end(&w);
    return jsonw_end(&w) | buf_addc(out, '\n');
}

static int line(struct buf *out, const char *name, const char *text)
{
    if (text == NULL || *text == '\0')
        return 0;
    return buf_addf(out, "  %-10s", name) | text_show(str_from(text), 0, out) | buf_addc(out, '\n');
}

static int show_leads(const struct shown *s, struct buf *out)
{
    const struct job_view *job = s->job;
    int bad = 0;
    if (job->ours)
        bad |= buf_addf(out, "  %-10s%zu: %zu moved, %zu not, %zu pending\n", "leads", s->entries.n,
                        s->counts[ENTRY_SUCCESS], s->counts[ENTRY_ERROR], s->counts[ENTRY_PENDING]);
    if (job->reported && job->reported_total >= 0)
        bad |= buf_addf(out, "  %-10s%" PRId64 " leads, %" PRId64 " done\n", "Instantly", job->reported_total,
                        job->reported_success >= 0 ? job->reported_success : 0);
    if (s->counts[ENTRY_ERROR] > 0)
        bad |= buf_addf(out, "for the leads and reasons: leadsync jobs entries %s --completion-status ERROR\n", job->id);
    if (s->counts[ENTRY_PENDING] > 0 && job->open_rows == 0)
        bad |= buf_adds(out, "the next sync took over the pending leads\n");
    else if (s->counts[ENTRY_PENDING] > 0)
        bad |= buf_adds(out, job_view_over(job) ? "leadsync resume, or the next sync, settles the pending leads\n"
                                                : "leadsync jobs wait waits for it\n");
    return bad;
}

static int jobs_show_text(struct shown *s, struct buf *out)
{
    const struct job_view *job = s->job;
    struct arena *arena = &s->views.arena;
    char created[TIME_TEXT_N], updated[TIME_TEXT_N];
    int bad = buf_addf(out, "job %s\n", job->id);
    bad |= line(out, "type", job->type);
    bad |= line(out, "status", job->absent ? "no longer in Instantly" : job->status);
    if (job->progress >= 0)
        bad |= buf_addf(out, "  %-10s%" PRId64 "%%\n", "progress", job->progress);
    bad |= line(out, "from", job_end_name(s->state, job->from, arena));
    bad |= line(out, "to", job_end_name(s->state, job->to, arena));
    if (job->run > 0)
        bad |= buf_addf(out, "  %-10s%" PRIu64 "\n", "run", job->run);
    bad |= line(out, "created", job->created_ms > 0 ? time_format(job->created_ms, created) : NULL);
    bad |= line(out, "updated", job->updated_ms > 0 ? time_format(job->updated_ms, updated) : NULL);
    return bad | show_leads(s, out);
}

static int jobs_show_print(struct shown *s, struct err *e)
{
    struct out out = {0};
    int rc = -1;
    if (out_open(&out, s->inv, OUT_PUBLIC, e) == 0) {
        bool json = s->inv->common.output.format == FORMAT_JSON;
        int bad = json ? jobs_show_json(s, &out.text) : jobs_show_text(s, &out.text);
        rc = bad == 0 ? out_commit(&out, e) : err_oom(e);
    }
    out_abandon(&out);
    return rc;
}

static int jobs_show_command(struct invocation *inv, struct err *e)
{
    struct shown s = {.inv = inv};
    const char *id;
    int rc = -1;
    job_views_init(&s.views);
    if (jobs_one_id(inv, &id, e) == 0 && jobs_open_state_if_any(inv, &s.state, e) == 0 && jobs_show_look(&s, id, e) == 0)
        rc = jobs_show_print(&s, e);
    job_entries_free(&s.entries);
    job_views_free(&s.views);
    state_close(s.state);
    return rc;
}

const struct command command_jobs_show = {
    .name = "jobs show",
    .usage = "ID [SYNC]",
    .summary = "show one background job",
    .help = "Shows what the state has proved about the job and, until it is over, what\n"
            "Instantly reports. A job that leadsync did not start is fetched through the API.",
    .examples = "leadsync jobs show 6a4431f44bcfcb421d06d78e",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV | GROUP_TIME,
    .formats = formats,
    .operands_max = 2,
    .run = jobs_show_command,
};
