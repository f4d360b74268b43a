#include "sync/sandbox/world/store.h"

#include "sync/base/file.h"
#include "sync/sandbox/world/jobs.h"
#include "sync/sandbox/world/lead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_AT = 1 << 20, JOURNAL_MAX = 16 << 20 };

struct sim_store {
    int fd;
    char *path;
    struct buf lines; /* not yet written */
    FILE *compact;    /* while rewriting: lines go here */
    int failed;       /* errno of the first failure */
};

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

/* To the file, or to its compact copy while that is written. The first failure sticks. */
static void spill(struct sim_store *s)
{
    if (s->lines.n == 0 || s->failed != 0)
        return;
    errno = 0;
    if (s->compact != NULL ? fwrite(s->lines.p, 1, s->lines.n, s->compact) != s->lines.n
                           : write_all(s->fd, s->lines.p, s->lines.n) != 0)
        s->failed = errno != 0 ? errno : EIO;
    buf_reset(&s->lines);
}

/* Returns where the line starts, for end_line(). */
static size_t start_line(struct sim_store *s, struct jsonw *j)
{
    jsonw_init(j, &s->lines);
    return s->lines.n;
}

/* Ends a line that a note has written, or takes it back. */
static void end_line(struct sim_store *s, struct jsonw *j, size_t start)
{
    if (jsonw_end(j) != 0 || buf_addc(&s->lines, '\n') != 0) {
        s->failed = errno != 0 ? errno : ENOMEM;
        s->lines.n = start;
    }
    if (s->lines.n >= FLUSH_AT)
        spill(s);
}

enum { LEAD_TIMES = 10 };

static void write_times(struct jsonw *j, const int64_t *times, size_t n)
{
    jsonw_member_array(j, "times");
    for (size_t i = 0; i < n; i++)
        jsonw_int(j, times[i]);
    jsonw_array_end(j);
}

static void read_times(json_object *o, int64_t *times, size_t n)
{
    json_object *array = sim_json_get(o, "times");
    for (size_t i = 0; i < n; i++)
        times[i] = json_object_is_type(array, json_type_array) && i < json_object_array_length(array)
                       ? json_object_get_int64(json_object_array_get_idx(array, i))
                       : 0;
}

/* --- places --- */

void sim_store_note_place(struct sim_world *w, uint32_t no)
{
    struct sim_store *s = w->store;
    if (s == NULL)
        return;
    const struct sim_place *place = sim_place_at(w, no);
    struct jsonw j;
    size_t start = start_line(s, &j);
    jsonw_object(&j);
    jsonw_member_uuid(&j, place->is_campaign ? "campaign" : "list", &place->id);
    jsonw_member_text(&j, "name", place->name);
    jsonw_member_int(&j, "status", place->status);
    jsonw_member_uint(&j, "core", place->core_seen);
    if (place->has_owner)
        jsonw_member_uuid(&j, "owner", &place->owner);
    if (place->has_enrichment_flag)
        jsonw_member_bool(&j, "enrichment", place->enrichment);
    write_times(&j, (const int64_t[]){place->created_ms, place->updated_ms}, 2);
    jsonw_member_array(&j, "vars");
    for (size_t i = 0; i < place->vars_n; i++)
        jsonw_text(&j, place->vars[i]);
    jsonw_array_end(&j);
    jsonw_object_end(&j);
    end_line(s, &j, start);
}

static int store_load_place(struct sim_world *w, json_object *o, const struct uuid *id, bool is_campaign)
{
    uint32_t no = sim_place_by_id(w, id, is_campaign);
    if (no == 0)
        no = sim_place_add(w, sim_json_text(o, "name"), is_campaign, id);
    if (no == 0)
        return -1;
    json_object *vars = sim_json_get(o, "vars");
    for (size_t i = 0; json_object_is_type(vars, json_type_array) && i < json_object_array_length(vars); i++)
        if (sim_place_var(w, no, sim_json_str(json_object_array_get_idx(vars, i))) != 0)
            return -1;
    int64_t times[2];
    read_times(o, times, 2);
    struct sim_place *place = sim_place_at(w, no);
    place->status = (int)sim_json_int(o, "status", 0);
    place->core_seen = (unsigned)sim_json_int(o, "core", 0);
    place->has_owner = uuid_parse(sim_json_text(o, "owner"), &place->owner) == 0;
    place->has_enrichment_flag = sim_json_get(o, "enrichment") != NULL;
    place->enrichment = sim_json_true(o, "enrichment");
    place->created_ms = times[0];
    place->updated_ms = times[1];
    return 0;
}

/* --- leads --- */

void sim_store_note_deleted(struct sim_world *w, uint32_t no)
{
    struct sim_store *s = w->store;
    if (s == NULL)
        return;
    struct jsonw j;
    size_t start = start_line(s, &j);
    jsonw_object(&j);
    jsonw_member_uuid(&j, "gone", &sim_table_at(&w->leads, no)->id);
    jsonw_object_end(&j);
    end_line(s, &j, start);
}

/* Everything at once, whatever changed: the file is read from the top, and the last line of a lead wins. */
void sim_store_note_lead(struct sim_world *w, uint32_t no)
{
    struct sim_store *s = w->store;
    if (s == NULL)
        return;
    const struct sim_lead *lead = sim_table_at(&w->leads, no);
    struct sim_fields fields;
    struct jsonw j;
    size_t start = start_line(s, &j);
    sim_lead_fields(lead, &fields);
    jsonw_object(&j);
    jsonw_member_uuid(&j, "lead", &lead->id);
    jsonw_member_array(&j, "texts");
    for (unsigned i = 0; i < BF_CUSTOM; i++)
        fields.f[i].p != NULL ? jsonw_str(&j, fields.f[i]) : jsonw_null(&j);
    jsonw_array_end(&j);
    if (fields.f[BF_CUSTOM].p != NULL) {
        jsonw_key(&j, "custom_variables");
        sim_custom_write(&j, fields.f[BF_CUSTOM]);
    }
    if (lead->place != 0)
        jsonw_member_uuid(&j, "place", &sim_place_at(w, lead->place)->id);
    jsonw_member_int(&j, "status", lead->status);
    jsonw_member_bool(&j, "alone", lead->alone);
    if (lead->has_interest)
        jsonw_member_int(&j, "interest", lead->interest);
    if (lead->opens + lead->clicks + lead->replies > 0) {
        jsonw_member_int(&j, "opens", lead->opens);
        jsonw_member_int(&j, "clicks", lead->clicks);
        jsonw_member_int(&j, "replies", lead->replies);
    }
    write_times(&j,
                (const int64_t[]){lead->created_ms, lead->updated_ms, lead->touched_ms, lead->moved_ms, lead->contacted_ms,
                                  lead->interest_ms, lead->verify_due_ms, lead->opened_ms, lead->clicked_ms,
                                  lead->replied_ms},
                LEAD_TIMES);
    jsonw_object_end(&j);
    end_line(s, &j, start);
}

static void load_lead_rest(struct sim_world *w, struct sim_lead *lead, json_object *o)
{
    int64_t t[LEAD_TIMES];
    struct uuid id;
    read_times(o, t, LEAD_TIMES);
    lead->place = 0;
    if (uuid_parse(sim_json_text(o, "place"), &id) == 0 && (lead->place = sim_place_by_id(w, &id, true)) == 0)
        lead->place = sim_place_by_id(w, &id, false);
    lead->place_was = lead->place;
    lead->status = (int8_t)sim_json_int(o, "status", 0);
    lead->alone = sim_json_true(o, "alone");
    lead->has_interest = sim_json_get(o, "interest") != NULL;
    lead->interest = (int16_t)sim_json_int(o, "interest", 0);
    lead->created_ms = t[0], lead->updated_ms = t[1], lead->touched_ms = t[2], lead->moved_ms = t[3];
    lead->contacted_ms = t[4], lead->interest_ms = t[5], lead->verify_due_ms = t[6];
    lead->opens = (uint32_t)sim_json_int(o, "opens", 0);
    lead->clicks = (uint32_t)sim_json_int(o, "clicks", 0);
    lead->replies = (uint32_t)sim_json_int(o, "replies", 0);
    lead->opened_ms = t[7], lead->clicked_ms = t[8], lead->replied_ms = t[9];
}

/* 0, 1 not ours, -1 out of memory. The number in its id says where the lead goes. */
static int load_lead(struct sim_world *w, json_object *o, const struct uuid *id, struct buf *custom)
{
    struct sim_fields fields = {0};
    json_object *texts = sim_json_get(o, "texts");
    if (sim_fields_overlay(&fields, o, false, custom) != 0)
        return -1;
    size_t n = json_object_is_type(texts, json_type_array) ? json_object_array_length(texts) : 0;
    for (size_t i = 0; i < BF_CUSTOM && i < n; i++)
        fields.f[i] = sim_json_str(json_object_array_get_idx(texts, i));
    uint32_t no = sim_lead_no(id);
    struct sim_lead *lead;
    if (no == 0 || (no <= w->leads.n && sim_table_by_id(&w->leads, id) == 0))
        return 1; /* an id that no sandbox has made, or that came back from the dead */
    if (no <= w->leads.n) {
        lead = sim_table_at(&w->leads, no);
        if (sim_table_set(&w->leads, lead, &fields) != 0)
            return -1;
    } else if ((lead = sim_table_put(&w->leads, no, &fields)) == NULL) {
        return -1;
    }
    lead->id = *id;
    int64_t id_ms = 0;
    for (unsigned i = 0; i < 6; i++)
        id_ms = id_ms << 8 | id->b[i];
    if (id_ms > w->last_id_ms)
        w->last_id_ms = id_ms;
    load_lead_rest(w, lead, o);
    return 0;
}

/* --- blocks --- */

void sim_store_note_block(struct sim_world *w, size_t i)
{
    struct sim_store *s = w->store;
    if (s == NULL)
        return;
    struct jsonw j;
    size_t start = start_line(s, &j);
    jsonw_object(&j);
    jsonw_member_text(&j, "block", w->blocks[i].value);
    jsonw_object_end(&j);
    end_line(s, &j, start);
}

void sim_store_note_job(struct sim_world *w, size_t i)
{
    struct sim_store *s = w->store;
    if (s == NULL)
        return;
    struct jsonw j;
    size_t start = start_line(s, &j);
    sim_job_save(w, &w->jobs[i], &j);
    end_line(s, &j, start);
}

/* --- the file --- */

/* One line. 0, 1 not one of ours, -1 out of memory. */
static int load_line(struct sim_world *w, struct json_tokener *parser, struct str line, struct buf *custom)
{
    json_object *o = NULL;
    struct uuid id;
    int rc = sim_json_parse_with(parser, line, &o);
    if (rc != 0)
        return rc;
    rc = 1;
    if (uuid_parse(sim_json_text(o, "lead"), &id) == 0) {
        rc = load_lead(w, o, &id, custom);
    } else if (uuid_parse(sim_json_text(o, "gone"), &id) == 0) {
        uint32_t no = sim_table_by_id(&w->leads, &id);
        if (no != 0)
            sim_table_delete(&w->leads, no);
        rc = 0;
    } else if (uuid_parse(sim_json_text(o, "campaign"), &id) == 0) {
        rc = store_load_place(w, o, &id, true);
    } else if (uuid_parse(sim_json_text(o, "list"), &id) == 0) {
        rc = store_load_place(w, o, &id, false);
    } else if (sim_json_text(o, "block").p != NULL) {
        rc = sim_block_add(w, sim_json_text(o, "block"));
    } else if (sim_json_text(o, "job").p != NULL) {
        rc = sim_job_load(w, o);
    } else if (sim_json_int(o, "clock_ahead_ms", -1) >= 0) {
        w->knobs.advance_ms = sim_json_int(o, "clock_ahead_ms", 0);
        rc = 0;
    } else if (sim_json_int(o, "leads_made", -1) >= 0 && sim_json_int(o, "leads_made", -1) < UINT32_MAX) {
        rc = sim_table_skip(&w->leads, (uint32_t)sim_json_int(o, "leads_made", 0));
    }
    json_object_put(o);
    return rc;
}

/* Reads line by line; `good` is where the last complete line ended. */
static int load_file(struct sim_world *w, FILE *f, const char *path, off_t *good, struct err *e)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    unsigned long no = 0;
    int rc = 0;
    struct buf custom = BUF_INIT(FLUSH_AT);
    struct json_tokener *parser = json_tokener_new();
    if (parser == NULL)
        return err_oom(e);
    while (rc == 0 && (n = getline(&line, &cap, f)) > 0 && line[n - 1] == '\n') {
        no++;
        rc = load_line(w, parser, (struct str){line, (size_t)n - 1}, &custom);
        *good += n;
    }
    if (rc == 0 && ferror(f))
        rc = err_errno(e, XS_STATE, errno, "%s", path);
    else if (rc > 0)
        rc = err_set(e, XS_STATE, "%s:%lu: not a line of a sandbox store; name another file with --store", path, no);
    else if (rc < 0)
        err_oom(e);
    json_tokener_free(parser);
    buf_free(&custom);
    free(line);
    return rc;
}

int sim_store_open(struct sim_world *w, const char *path, struct err *e)
{
    struct sim_store *s = calloc(1, sizeof *s);
    struct stat st;
    off_t good = 0;
    FILE *f = NULL;
    if (s == NULL || (s->path = strdup(path)) == NULL) {
        free(s);
        return err_oom(e);
    }
    buf_init(&s->lines, JOURNAL_MAX);
    s->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (s->fd < 0 || fstat(s->fd, &st) != 0 || (f = fopen(path, "re")) == NULL) {
        err_errno(e, XS_STATE, errno, "sandbox store %s", path);
        goto fail;
    }
    if (!S_ISREG(st.st_mode)) {
        err_set(e, XS_STATE, "sandbox store %s is not a regular file; name another with --store", path);
        goto fail;
    }
    if (load_file(w, f, path, &good, e) != 0)
        goto fail;
    if (w->ids_made < w->places_n + w->blocks_n) /* each of these took at most one */
        w->ids_made = w->places_n + w->blocks_n;
    if (ftruncate(s->fd, good) != 0) { /* the line that was cut short */
        err_errno(e, XS_STATE, errno, "sandbox store %s", path);
        goto fail;
    }
    fclose(f);
    w->store = s;
    return 0;
fail:
    if (f != NULL)
        fclose(f);
    if (s->fd >= 0)
        close(s->fd);
    buf_free(&s->lines);
    free(s->path);
    free(s);
    return -1;
}

int sim_store_flush(struct sim_world *w, struct err *e)
{
    if (w->store == NULL)
        return 0;
    spill(w->store);
    if (w->store->failed != 0)
        return err_errno(e, XS_IO, w->store->failed, "sandbox store %s", w->store->path);
    return 0;
}

static void note_number(struct sim_store *s, const char *name, int64_t n)
{
    struct jsonw j;
    size_t start = start_line(s, &j);
    jsonw_object(&j);
    jsonw_member_int(&j, name, n);
    jsonw_object_end(&j);
    end_line(s, &j, start);
}

void sim_store_note_clock(struct sim_world *w)
{
    if (w->store != NULL)
        note_number(w->store, "clock_ahead_ms", w->knobs.advance_ms);
}

/* Places before leads and jobs, which name them. */
static void note_everything(struct sim_world *w)
{
    for (size_t i = 0; i < w->places_n; i++)
        sim_store_note_place(w, (uint32_t)i + 1);
    for (size_t i = 0; i < w->blocks_n; i++)
        sim_store_note_block(w, i);
    for (uint32_t no = 1; no <= w->leads.n; no++)
        if (sim_table_at(&w->leads, no)->text != NULL)
            sim_store_note_lead(w, no);
    for (size_t i = 0; i < w->jobs_n; i++)
        sim_store_note_job(w, i);
    sim_store_note_clock(w);
    /* How many ids were ever given out: one of a deleted lead must not come back for another. */
    note_number(w->store, "leads_made", w->leads.n);
}

/* When the compact form cannot be written, the long one stays: it holds the same. */
int sim_store_close(struct sim_world *w, struct err *e)
{
    struct sim_store *s = w->store;
    struct output out;
    if (s == NULL)
        return 0;
    int rc = sim_store_flush(w, e);
    if (rc == 0 && (rc = output_open(&out, s->path, 0600, e)) == 0) {
        s->compact = out.f;
        note_everything(w);
        spill(s);
        if (s->failed != 0) {
            output_abandon(&out);
            rc = err_errno(e, XS_IO, s->failed, "sandbox store %s", s->path);
        } else {
            rc = output_commit(&out, e);
        }
    }
    close(s->fd);
    buf_free(&s->lines);
    free(s->path);
    free(s);
    w->store = NULL;
    return rc;
}
