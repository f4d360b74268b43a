/* Reads a plan. The first pass checks the id and takes head and summary; records are read again one by one. A plan is untrusted:
 * each member has its kind, and what does not fit ends the reading with the line. */
#include "config.h"

#include "sync/planfile/plan_file_int.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/file.h"
#include "sync/base/text.h"

enum { HEAD_ARENA_MAX = 64 << 20, READ_BYTES = 64 << 10 };

bool plan_file_is(const char *path)
{
    size_t n = strlen(path);
    return n > 5 && strcmp(path + n - 5, ".plan") == 0;
}

/* ---- lines ---- */

/* The next line, without its end: 1; 0 at the end of the file; -1 */
static int next_line(struct plan_file *p, struct err *e)
{
    int c;
    buf_reset(&p->line);
    p->line_n++;
    errno = 0;
    while ((c = getc_unlocked(p->f)) != EOF && c != '\n')
        if (buf_addc(&p->line, (char)c) != 0)
            return plan_bad(p, e, "the line is too long");
    if (c == EOF && ferror(p->f))
        return err_errno(e, XS_IO, errno, "%s", p->path);
    if (c == EOF && p->line.n > 0)
        return plan_bad(p, e, "the file was cut");
    return c != EOF;
}

/* The line as an object, which the caller puts. NULL: it is not an object. */
static struct json_object *parse_line(struct plan_file *p, struct err *e)
{
    json_tokener_reset(p->parser);
    struct json_object *o = NULL;
    if (p->line.n > 0 && p->line.n <= INT32_MAX && text_is_utf8(buf_str(&p->line)))
        o = json_tokener_parse_ex(p->parser, p->line.p, (int)p->line.n);
    bool whole = o != NULL && json_tokener_get_parse_end(p->parser) == p->line.n && json_object_is_type(o, json_type_object);
    if (whole)
        return o;
    json_object_put(o);
    plan_bad(p, e, "not a JSON object");
    return NULL;
}

/* ---- head ---- */

/* Bytes from lower-case hex. False: it is another text. */
static bool read_hex(struct str text, unsigned char *out, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    if (text.n != 2 * n)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        const char *digit = text.p[i] != '\0' ? strchr(digits, text.p[i]) : NULL;
        if (digit == NULL)
            return false;
        out[i / 2] = (unsigned char)(out[i / 2] << 4 | (digit - digits));
    }
    return true;
}

static int read_head(struct plan_file *p, struct json_object *o, struct err *e)
{
    struct diff_head *h = &p->head;
    char *sync, *source, *workspace, **words, **overrides;
    if (plan_number(o, "leadsync_plan") != PLAN_VERSION)
        return plan_number(o, "leadsync_plan") > PLAN_VERSION
                   ? err_set(e, XS_SOURCE, "%s was saved by a newer leadsync; update leadsync", p->path)
                   : err_set(e, XS_SOURCE, "%s is not a plan; leadsync diff SYNC --save FILE.plan makes one", p->path);
    struct json_object *targets = plan_member(o, "targets");
    size_t n = json_object_is_type(targets, json_type_array) ? json_object_array_length(targets) : 0;
    struct target *v = n <= PLAN_LIST_MAX ? arena_calloc(&p->arena, n + 1, sizeof *v) : NULL;
    if (v == NULL)
        return err_oom(e);
    for (size_t i = 0; i < n; i++)
        if (plan_read_target(p, &p->arena, json_object_array_get_idx(targets, i), &v[i], e) <= 0)
            return e->status != XS_DONE ? -1 : plan_bad(p, e, "a target is missing");
    if (plan_copy_cstr(p, &p->arena, plan_member(o, "sync"), &sync, e) != 0 ||
        plan_copy_cstr(p, &p->arena, plan_member(o, "source"), &source, e) != 0 ||
        plan_copy_cstr(p, &p->arena, plan_member(o, "workspace"), &workspace, e) != 0 ||
        plan_copy_texts(p, plan_member(o, "arguments"), &words, &p->origin.words_n, e) != 0 ||
        plan_copy_texts(p, plan_member(o, "overrides"), &overrides, &h->overrides_n, e) != 0 ||
        plan_copy_names(p, plan_member(o, "columns"), &h->columns, &h->columns_n, e) != 0 ||
        plan_copy_names(p, plan_member(o, "variables"), &p->shape.custom_names, &p->shape.custom_n, e) != 0)
        return -1;
    h->sync = sync;
    h->source = source;
    h->workspace = workspace;
    h->overrides = (const char *const *)overrides;
    if (read_hex(plan_text(plan_member(o, "mask_secret")), p->mask_secret, sizeof p->mask_secret))
        h->secret = p->mask_secret;
    p->origin.words = (const char *const *)words;
    if (h->sync == NULL || h->source == NULL)
        return plan_bad(p, e, "the head has no sync or no source");
    p->shape.id = 1; /* the file's own number */
    h->shape = &p->shape;
    h->targets = v;
    h->targets_n = n;
    h->at_ms = plan_number(o, "at_ms");
    h->last_run = plan_count(o, "last_run");
    h->has_key = plan_truth(o, "has_key");
    p->origin.remote = plan_truth(o, "remote");
    p->origin.masked = plan_truth(o, "masked");
    for (size_t i = 0; i < 2; i++)
        if ((p->slots[i].custom = arena_calloc(&p->arena, p->shape.custom_n + 1, sizeof *p->slots[i].custom)) == NULL)
            return err_oom(e);
    p->has_head = true;
    return 0;
}

/* ---- summary ---- */

static int read_guards(struct plan_file *p, struct json_object *list, struct err *e)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    if (n > RUN_GUARDS_MAX)
        return plan_bad(p, e, "there are too many guards");
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_object_array_get_idx(list, i);
        struct run_guard *g = &p->guards[i];
        struct str limit = plan_text(plan_member(o, "limit"));
        char *name;
        *g = (struct run_guard){.counted = plan_count(o, "counted"),
                                .of = plan_count(o, "of"),
                                .stops = plan_truth(o, "stops")};
        if (plan_copy_cstr(p, &p->arena, plan_member(o, "name"), &name, e) != 0)
            return -1;
        g->name = name;
        if (g->name == NULL || limit.n >= sizeof g->limit)
            return plan_bad(p, e, "a guard is malformed");
        memcpy(g->limit, limit.p, limit.n);
    }
    p->summary.guards = p->guards;
    p->summary.guards_n = n;
    return 0;
}

static int read_summary(struct plan_file *p, struct json_object *o, struct err *e)
{
    struct diff_summary *s = &p->summary;
    struct json_object *reasons = plan_member(o, "reasons"), *variables = plan_member(o, "new_variables");
    struct json_object *room = plan_member(o, "workspace_plan");
    char *waits_for, *mapping, *source, **new_variables = NULL;
    for (size_t i = 0; i < plan_counts_n; i++)
        *(uint64_t *)((char *)s + plan_counts[i].offset) = plan_count(o, plan_counts[i].name);
    for (size_t i = 0; i < plan_seconds_n; i++) {
        struct json_object *v = plan_member(o, plan_seconds[i].name);
        bool known = json_object_is_type(v, json_type_double) || json_object_is_type(v, json_type_int);
        *(double *)((char *)s + plan_seconds[i].offset) = known ? json_object_get_double(v) : -1;
    }
    s->plan.known = room != NULL;
    s->plan.used = plan_number(room, "used");
    s->plan.limit = plan_number(room, "limit");
    s->at_work = plan_truth(o, "at_work");
    for (int i = 0; i < REASON_N; i++)
        p->reasons[i] = reasons != NULL ? plan_count(reasons, reason_text((enum reason)i)) : 0;
    s->reasons = p->reasons;
    if (plan_copy_cstr(p, &p->arena, plan_member(o, "waits_for"), &waits_for, e) != 0 ||
        plan_copy_cstr(p, &p->arena, plan_member(o, "mapping_sha256"), &mapping, e) != 0 ||
        plan_copy_cstr(p, &p->arena, plan_member(o, "source_sha256"), &source, e) != 0 ||
        read_guards(p, plan_member(o, "guards"), e) != 0 ||
        plan_copy_texts(p, plan_member(o, "warnings"), &p->warnings.v, &p->warnings.n, e) != 0 ||
        (variables != NULL && plan_copy_texts(p, variables, &new_variables, &s->new_variables_n, e) != 0))
        return -1;
    if (plan_copy_text(&p->arena, plan_member(o, "would_stop"), &s->would_stop) != 0)
        return err_oom(e);
    s->waits_for = waits_for;
    s->mapping_sha256 = mapping != NULL ? mapping : "";
    s->source_sha256 = source != NULL ? source : "";
    s->new_variables = (const char *const *)new_variables;
    p->has_summary = true;
    return 0;
}

/* ---- the file ---- */

/* Takes one line of the first pass. 1: it is the end; 0; -1 */
static int first_look(struct plan_file *p, const char *digest, struct err *e)
{
    static const char head[] = "{\"leadsync_plan\":", summary[] = "{\"type\":\"summary\"", last[] = "{\"type\":\"end\"";
    bool is_head = p->line_n == 1, is_last = strncmp(buf_cstr(&p->line), last, sizeof last - 1) == 0;
    if (is_head && strncmp(p->line.p, head, sizeof head - 1) != 0)
        return err_set(e, XS_SOURCE, "%s is not a plan; leadsync diff SYNC --save FILE.plan makes one", p->path);
    bool is_summary = strncmp(p->line.p, summary, sizeof summary - 1) == 0;
    if (!is_head && !is_summary && !is_last)
        return 0;
    struct json_object *o = parse_line(p, e);
    int rc = o == NULL ? -1 : is_head ? read_head(p, o, e) : is_summary ? read_summary(p, o, e) : 1;
    if (rc == 1 && !str_is(plan_text(plan_member(o, "id")), digest))
        rc = err_set(e, XS_SOURCE, "%s was changed or cut after it was saved: its id does not match its content", p->path);
    json_object_put(o);
    return rc;
}

/* The digest so far, without ending it. */
static void digest_now(FILE *f, long bytes, char out[SHA256_HEX_N])
{
    char block[READ_BYTES];
    struct sha256 *s = sha256_begin();
    rewind(f);
    while (bytes > 0) {
        size_t n = fread(block, 1, bytes < READ_BYTES ? (size_t)bytes : READ_BYTES, f);
        if (n == 0)
            break;
        sha256_add(&s, block, n);
        bytes -= (long)n;
    }
    sha256_end(&s, out);
}

/* Where the last line begins; -1: there is none that says "end". */
static long find_end(FILE *f)
{
    enum { END_MAX = 256 };
    char tail[END_MAX + 1];
    if (fseek(f, 0, SEEK_END) != 0)
        return -1;
    long size = ftell(f), from = size > END_MAX ? size - END_MAX : 0;
    if (size <= 0 || fseek(f, from, SEEK_SET) != 0)
        return -1;
    size_t n = fread(tail, 1, END_MAX, f);
    if (n < 2 || tail[n - 1] != '\n')
        return -1;
    size_t at = n - 1;
    while (at > 0 && tail[at - 1] != '\n')
        at--;
    return from + (long)at;
}

static int check(struct plan_file *p, struct err *e)
{
    int rc = 0;
    long end = find_end(p->f);
    if (end > 0)
        digest_now(p->f, end, p->id);
    rewind(p->f);
    while (rc == 0 && (rc = next_line(p, e)) == 1) {
        /* The text functions need a NUL after the line. */
        rc = buf_cstr(&p->line) == NULL ? err_oom(e) : first_look(p, p->id, e);
        if (rc == 1)
            break;
    }
    if (rc < 0)
        return -1;
    bool whole = rc == 1 && p->has_head && p->has_summary && ftell(p->f) > end;
    if (!whole || next_line(p, e) != 0)
        return e->status != XS_DONE
                   ? -1
                   : err_set(e, XS_SOURCE, "%s is not a whole plan: it was cut; save it again with leadsync diff --save",
                             p->path);
    return plan_file_rewind(p, e);
}

int plan_file_open(const char *path, struct plan_file **out, struct err *e)
{
    struct plan_file *p = calloc(1, sizeof *p);
    *out = NULL;
    if (p == NULL)
        return err_oom(e);
    arena_init(&p->arena, HEAD_ARENA_MAX);
    for (size_t i = 0; i < 2; i++)
        arena_init(&p->slots[i].arena, 4UL * PLAN_LINE_MAX);
    p->slot = p->slots;
    buf_init(&p->line, PLAN_LINE_MAX);
    p->path = strdup(path);
    p->head.plan = p->id;
    p->parser = json_tokener_new();
    p->f = p->path != NULL && p->parser != NULL ? fopen(path, "re") : NULL;
    int rc = p->f != NULL                           ? check(p, e)
             : p->path == NULL || p->parser == NULL ? err_oom(e)
                                                    : err_errno(e, XS_NO_SOURCE, errno, "cannot read the plan %s", path);
    if (rc != 0) {
        plan_file_close(p);
        return -1;
    }
    *out = p;
    return 0;
}

void plan_file_close(struct plan_file *p)
{
    if (p == NULL)
        return;
    if (p->f != NULL)
        fclose(p->f);
    json_tokener_free(p->parser);
    arena_free(&p->arena);
    for (size_t i = 0; i < 2; i++)
        arena_free(&p->slots[i].arena);
    buf_free(&p->line);
    free(p->path);
    free(p);
}

const char *plan_file_id(const struct plan_file *p)
{
    return p->id;
}

const struct diff_head *plan_file_head(const struct plan_file *p)
{
    return &p->head;
}

const struct diff_summary *plan_file_summary(const struct plan_file *p)
{
    return &p->summary;
}

const struct diff_warnings *plan_file_warnings(const struct plan_file *p)
{
    return &p->warnings;
}

const struct plan_origin *plan_file_origin(const struct plan_file *p)
{
    return &p->origin;
}

int plan_file_rewind(struct plan_file *p, struct err *e)
{
    rewind(p->f);
    p->line_n = 0;
    p->ended = false;
    return next_line(p, e) == 1 ? 0 : -1; /* the head */
}

int plan_file_next(struct plan_file *p, struct plan_record *out, struct err *e)
{
    if (p->ended)
        return 0;
    p->slot = p->slot == p->slots ? p->slots + 1 : p->slots;
    arena_reset(&p->slot->arena);
    *out = (struct plan_record){.kind = PLAN_CHANGE};
    int rc = next_line(p, e);
    if (rc != 1)
        return rc == 0 ? plan_bad(p, e, "the file was cut") : -1;
    struct json_object *o = parse_line(p, e);
    if (o == NULL)
        return -1;
    rc = plan_record_read(p, o, out, e);
    json_object_put(o);
    p->ended = rc == 0;
    return rc;
}

int plan_file_show(struct plan_file *p, struct diff *diff, struct err *e)
{
    struct plan_record record;
    int rc = diff_head(diff, &p->head, e) != 0 || plan_file_rewind(p, e) != 0 ? -1 : 1;
    while (rc == 1 && (rc = plan_file_next(p, &record, e)) == 1)
        if ((record.kind == PLAN_CHANGE ? diff_change(diff, &record.change, e) : diff_left_out(diff, &record.left_out, e)) !=
            0)
            rc = -1;
    return rc < 0 ? -1 : diff_finish(diff, &p->summary, e);
}
