/* Both sides are lists of operations by row key, in a temporary database, so that memory does not grow with them. An operation is
 * the same if its kind and its new values are. */
#include "config.h"

#include "sync/cli/run/diff_against.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync/base/file.h"
#include "sync/cli/args/state_arg.h"
#include "sync/cli/history/results_written.h"
#include "sync/cli/out.h"
#include "sync/cli/run/runner.h"
#include "sync/model/change.h"
#include "sync/report/diff_format.h"
#include "sync/state/db/db.h"

enum { SIDE_PLAN, SIDE_OTHER };
enum { VALUES_MAX = 4 << 20, ARENA_MAX = 256 << 20, NOTE_MAX = 1 << 16 };

struct against {
    struct db db;
    struct arena arena;
    int side; /* the one that is being read */
    uint64_t same, differs, missing, surplus;
};

static const char tables[] = "CREATE TEMP TABLE ops(side INTEGER, key TEXT, op TEXT, row INTEGER, changes BLOB, note TEXT);"
                             "CREATE INDEX temp.ops_by_key ON ops(key, op, side);";

static int open_temporary(struct db *db, struct err *e)
{
    const char *folder = getenv("TMPDIR");
    char *path = path_join(folder != NULL && folder[0] == '/' ? folder : "/tmp", "leadsync-plans-XXXXXX");
    int fd = path != NULL ? mkostemp(path, O_CLOEXEC) : -1;
    if (fd < 0) {
        free(path);
        return err_errno(e, XS_IO, errno, "cannot make a temporary file");
    }
    close(fd);
    int rc = db_open(db, path, true, e);
    unlink(path);
    free(path);
    /* SQLite does not write to a file without a name; temporary tables have a file of their own. */
    return rc < 0 || db_exec(db, "PRAGMA temp_store = FILE", e) < 0 || db_exec(db, tables, e) < 0 ? -1 : 0;
}

static int put(struct against *a, struct str key, const char *op, uint64_t row, struct str changes, const char *note,
               struct err *e)
{
    return db_run(&a->db, e, "INSERT INTO ops(side, key, op, row, changes, note) VALUES(?, ?, ?, ?, ?, ?)", "itzuBz",
                  (int64_t)a->side, key, op, row, changes, note) < 0
               ? -1
               : 0;
}

/* ---- a plan, or a dry run ---- */

static int against_change(void *ctx, const struct diff_change *change, struct err *e)
{
    struct against *a = ctx;
    struct buf list = BUF_INIT(VALUES_MAX);
    struct diff_field field;
    int bad = 0;
    for (size_t at = 0; diff_field_next(change, &at, &field) == 1;) {
        struct buf name = BUF_INIT(NOTE_MAX);
        if (!field.custom && str_is(field.name, "email") && change->op == OP_CREATE)
            continue; /* it is the key, or stands in every create */
        bad |= diff_field_name(&field, &name);
        const struct change written = {.name = buf_str(&name), .after = field.new_value};
        bad |= change_add(&written, &list);
        buf_free(&name);
    }
    int rc = bad != 0 ? err_oom(e)
                      : put(a, change->entry->key_text, op_text(change->op), change->entry->row, buf_str(&list), NULL, e);
    buf_free(&list);
    return rc;
}

static int against_left_out(void *ctx, const struct diff_left_out *left_out, struct err *e)
{
    struct against *a = ctx;
    struct buf note = BUF_INIT(NOTE_MAX);
    const struct entry *entry = left_out->entry;
    if (a->side == SIDE_PLAN || entry->key_text.n == 0)
        return 0;
    int bad = buf_addf(&note, "%s: %s", outcome_text(entry->outcome), reason_text(entry->reason));
    int rc = bad != 0 ? err_oom(e) : put(a, entry->key_text, "", entry->row, STR_NONE, buf_cstr(&note), e);
    buf_free(&note);
    return rc;
}

/* Runs `fill` with a diff that shows nothing and is watched. */
static int watch(struct against *a, struct plan_file *plan, const struct run_config *config, struct err *e)
{
    const struct diff_watch seen = {.change = against_change, .left_out = against_left_out, .ctx = a};
    const struct diff_options options = {.format = DIFF_NONE, .watch = &seen, .out = stdout};
    struct run_report report = {0};
    struct diff *diff;
    if (diff_open(&options, &diff, e) != 0)
        return -1;
    int rc = plan != NULL ? plan_file_show(plan, diff, e) : run_diff(config, diff, &report, e);
    run_report_free(&report);
    diff_close(diff);
    return rc;
}

static int read_plan(struct against *a, const char *path, struct err *e)
{
    struct plan_file *plan;
    if (plan_file_open(path, &plan, e) != 0)
        return -1;
    int rc = watch(a, plan, NULL, e);
    plan_file_close(plan);
    return rc;
}

static int read_sync(struct against *a, const struct invocation *inv, const char *sync, struct err *e)
{
    struct invocation planned = *inv;
    struct runner runner;
    planned.operands = &sync;
    planned.operands_n = 1;
    int rc = runner_open(&runner, &planned, false, true, e);
    if (rc == 0)
        rc = watch(a, NULL, &runner.config, e);
    runner_close(&runner);
    return rc;
}

/* ---- a run ---- */

/* The new values only: what was there before is not what a plan promises. */
static int keep_new(struct str changes, struct buf *out)
{
    const char *p = changes.p, *end = p + changes.n;
    struct change change;
    int bad = 0, rc = 0;
    while (changes.n > 0 && !change_is_text(changes) && (rc = change_next(&p, end, &change)) == 1) {
        change.before = (struct value){VALUE_ABSENT, NULL, 0};
        bad |= str_is(change.name, "email") ? 0 : change_add(&change, out);
    }
    return bad != 0 || rc < 0 ? -1 : 0;
}

/* A row that changed may have been updated and moved, which a plan has as two operations. */
static int read_result(struct against *a, struct results_written *written, const struct entry *entry, enum op op,
                       struct err *e)
{
    struct buf list = BUF_INIT(VALUES_MAX), note = BUF_INIT(NOTE_MAX);
    struct str changes = entry->changes;
    uint64_t later = 0;
    int rc = 0, bad = 0;
    bool done = entry->outcome == OUTCOME_CREATED || entry->outcome == OUTCOME_CHANGED || entry->outcome == OUTCOME_REMOVED;
    if (!done) {
        bad = buf_addf(&note, "%s%s%s", outcome_text(entry->outcome), entry->reason != REASON_NONE ? ": " : "",
                       entry->reason != REASON_NONE ? reason_text(entry->reason) : "");
        rc = put(a, entry->key_text, "", entry->row, STR_NONE, buf_cstr(&note), e);
    } else {
        if (entry->outcome == OUTCOME_CREATED)
            rc = results_written_values(written, entry, false, &a->arena, &changes, &later, e);
        bad = keep_new(changes, &list);
        if (entry->outcome == OUTCOME_CHANGED && op == OP_MOVE && list.n > 0 && rc == 0)
            rc = put(a, entry->key_text, op_text(OP_UPDATE), entry->row, buf_str(&list), NULL, e);
        bool removed = entry->outcome == OUTCOME_REMOVED;
        if (rc == 0)
            rc = put(a, entry->key_text, op_text(removed ? OP_REMOVE : op), entry->row,
                     removed || op == OP_MOVE ? STR_NONE : buf_str(&list), NULL, e);
    }
    buf_free(&list);
    buf_free(&note);
    return rc != 0 ? -1 : bad != 0 ? err_oom(e) : 0;
}

/* The state of the plan's sync: --state, else the one that the plan names, else the default one. */
static char *state_of(const struct invocation *inv, const struct plan_file *plan, struct err *e)
{
    const struct plan_origin *origin = plan_file_origin(plan);
    const char *path = inv->common.state;
    for (size_t i = 0; path == NULL && i + 1 < origin->words_n; i++)
        if (strcmp(origin->words[i], "--state") == 0)
            path = origin->words[i + 1];
    if (path == NULL)
        return state_default_path(plan_file_head(plan)->sync, inv->common.connection.api.loopback, e);
    char *copy = strdup(path);
    if (copy == NULL)
        err_oom(e);
    return copy;
}

static int read_results(struct against *a, struct state *state, uint64_t id, struct err *e)
{
    struct results_written written;
    struct results *results;
    struct run_record run;
    int rc = state_run_get(state, id, &a->arena, &run, e);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(e, XS_USAGE, "sync \"%s\" has no run %" PRIu64, state_sync(state), id);
    if (results_written_open(&written, state, id, e) != 0 || state_results_open(state, id, &results, e) != 0) {
        results_written_close(&written);
        return -1;
    }
    for (;;) {
        struct entry entry;
        uint32_t target;
        enum op op;
        arena_reset(&a->arena);
        rc = state_results_next(results, &a->arena, &entry, &op, &target, e);
        if (rc == 1)
            rc = read_result(a, &written, &entry, op, e) != 0 ? -1 : 1;
        if (rc != 1)
            break;
    }
    state_results_close(results);
    results_written_close(&written);
    return rc;
}

static int read_run(struct against *a, const struct invocation *inv, const struct plan_file *plan, const char *number,
                    struct err *e)
{
    char *end = NULL, *path;
    errno = 0;
    uint64_t id = strtoull(number, &end, 10);
    if (*number < '0' || *number > '9' || *end != '\0' || errno != 0 || id == 0)
        return err_set(e, XS_USAGE, "--against run:%s: expected the number of a run, as in run:12", number);
    if ((path = state_of(inv, plan, e)) == NULL)
        return -1;
    struct state_options options = {.path = path,
                                    .access = STATE_READ,
                                    .memory_max = (size_t)inv->common.run.memory_mb << 20,
                                    .clock = inv->common.clock};
    struct state *state = NULL;
    int rc = state_open(&options, &state, e) < 0 ? -1
             : state == NULL                     ? state_missing(path, e)
                                                 : read_results(a, state, id, e);
    state_close(state);
    free(path);
    return rc;
}

/* ---- the list ---- */

enum { C_SIGN, C_OP, C_KEY, C_ROW, C_PLANNED, C_OTHER, COLUMN_N };
static const struct record_column columns[COLUMN_N] = {
    [C_SIGN] = {RECORD_NAME("sign")},       [C_OP] = {RECORD_NAME("op")},
    [C_KEY] = {RECORD_NAME("key")},         [C_ROW] = {RECORD_NAME("row"), .kind = RECORD_NUMBER, .align = TABLE_RIGHT},
    [C_PLANNED] = {RECORD_NAME("planned")}, [C_OTHER] = {RECORD_NAME("other")},
};
static const struct record_layout layout = {.columns = columns,
                                            .columns_n = COLUMN_N,
                                            .none = "",
                                            .hide_empty = true,
                                            .records_below = TABLE_READABLE};

static void show_values(struct record_writer *w, size_t column, struct str changes)
{
    struct buf text = BUF_INIT(VALUES_MAX);
    if (changes.n > 0 && change_show_created(changes, &text) == 0)
        record_copy(w, column, buf_str(&text));
    buf_free(&text);
}

/* An operation of one side, with that of the other: values that a run no longer has count as equal. */
static const char both_sides[] =
    "SELECT a.side, a.key, a.op, a.row, a.changes, b.changes, b.side IS NOT NULL,"
    "  (SELECT n.note FROM ops n WHERE n.key = a.key AND n.side <> a.side AND n.note IS NOT NULL LIMIT 1)"
    " FROM ops a LEFT JOIN ops b ON b.key = a.key AND b.op = a.op AND b.side <> a.side"
    " WHERE a.note IS NULL AND (a.side = 0 OR b.side IS NULL) ORDER BY a.row = 0, a.row, a.key, a.op";

static int list_differences(struct against *a, struct out *out, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&a->db, &st, e, both_sides, "");
    for (; rc == 1; rc = db_next(&a->db, st, e)) {
        struct record_writer *w = &out->records;
        bool planned = sqlite3_column_int(st, 0) == SIDE_PLAN, both = sqlite3_column_int(st, 6) != 0;
        struct str one = db_blob(st, 4), other = db_blob(st, 5);
        bool same = both && (other.n == 0 || str_eq(one, other));
        a->same += same;
        a->differs += both && !same;
        a->missing += !both && planned;
        a->surplus += !both && !planned;
        if (same)
            continue;
        record_text(w, C_SIGN, both ? "*" : planned ? "-" : "+");
        record_copy(w, C_OP, db_text(st, 2));
        record_copy(w, C_KEY, db_text(st, 1));
        record_ordinal(w, C_ROW, (uint64_t)sqlite3_column_int64(st, 3));
        show_values(w, planned ? C_PLANNED : C_OTHER, one);
        if (both)
            show_values(w, C_OTHER, other);
        else if (planned)
            record_copy(w, C_OTHER, db_text(st, 7));
        if (out_record(out, e) != 0) {
            sqlite3_reset(st);
            return -1;
        }
    }
    return rc;
}

static int print(struct against *a, struct invocation *inv, const char *other, struct err *e)
{
    struct out out = {0};
    int rc = -1;
    if (out_open(&out, inv, OUT_PRIVATE, e) == 0 && out_records(&out, &inv->common, &layout, e) == 0 &&
        list_differences(a, &out, e) == 0 && out_records_end(&out, e) == 0) {
        bool text = inv->common.output.format == FORMAT_TEXT;
        int bad = text ? buf_addf(&out.text,
                                  "%" PRIu64 " operations are as planned; * %" PRIu64 " with other values, - %" PRIu64
                                  " not in %s, + %" PRIu64 " not planned\n",
                                  a->same, a->differs, a->missing, other, a->surplus)
                       : 0;
        rc = bad == 0 ? out_commit(&out, e) : err_oom(e);
    }
    out_abandon(&out);
    return rc;
}

int diff_against(struct invocation *inv, struct plan_file *plan, const char *other, struct err *e)
{
    struct against a = {.side = SIDE_PLAN};
    static const char run[] = "run:";
    arena_init(&a.arena, ARENA_MAX);
    int rc = open_temporary(&a.db, e);
    if (rc == 0)
        rc = watch(&a, plan, NULL, e);
    a.side = SIDE_OTHER;
    if (rc == 0)
        rc = strncmp(other, run, strlen(run)) == 0 ? read_run(&a, inv, plan, other + strlen(run), e)
             : plan_file_is(other)                 ? read_plan(&a, other, e)
                                                   : read_sync(&a, inv, other, e);
    if (rc == 0)
        rc = print(&a, inv, other, e);
    if (rc == 0)
        inv->status = a.differs + a.missing + a.surplus > 0 ? XS_CHANGES : XS_DONE;
    db_close(&a.db);
    arena_free(&a.arena);
    return rc;
}
