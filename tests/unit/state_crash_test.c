/* Death at every write, and disks that are full or broken at every write.
 *
 * A VFS over the system's counts what is written, synced, cut and deleted. A child runs a scripted life and is killed
 * at the n-th of those; the parent opens what is left, checks the invariants, and finishes the life. Whatever n, the
 * end is the same, and what had been committed is there. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCHES = 4, N = 30, KILLED = 9, ALL_DONE = 3 };
enum fault { FAULT_DIE, FAULT_DIE_HALF, FAULT_FULL, FAULT_BROKEN };

/* ---- the VFS ---- */

static struct {
    enum fault fault;
    long left; /* writes until the fault; negative: never */
} plan = {FAULT_DIE, -1};

struct shim_file {
    sqlite3_file base;
    sqlite3_file *real; /* follows in memory */
};
static sqlite3_vfs *real_vfs;

static sqlite3_file *real_of(sqlite3_file *f)
{
    void *p = f;
    return ((struct shim_file *)p)->real;
}

/* SQLITE_OK, or what the call is to fail with; may not return. */
static int count_down(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    if (plan.left < 0 || plan.left-- > 0)
        return SQLITE_OK;
    switch (plan.fault) {
    case FAULT_DIE_HALF:
        if (p != NULL && n > 1)
            real_of(f)->pMethods->xWrite(real_of(f), p, n / 2, at);
        _exit(KILLED);
    case FAULT_DIE: _exit(KILLED);
    case FAULT_FULL:
        plan.left = 0; /* and it stays full */
        return SQLITE_FULL;
    default: plan.left = 0; return SQLITE_IOERR_WRITE;
    }
}

static int shim_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}
static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}
static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    int rc = count_down(f, p, n, at);
    return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
}
static int shim_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    int rc = count_down(f, NULL, 0, 0);
    return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xTruncate(real_of(f), n);
}
static int shim_sync(sqlite3_file *f, int flags)
{
    int rc = count_down(f, NULL, 0, 0);
    return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xSync(real_of(f), flags);
}
static int shim_size(sqlite3_file *f, sqlite3_int64 *n)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), n);
}
static int shim_lock(sqlite3_file *f, int kind)
{
    return real_of(f)->pMethods->xLock(real_of(f), kind);
}
static int shim_unlock(sqlite3_file *f, int kind)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), kind);
}
static int shim_reserved(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
static int shim_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
static int shim_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int shim_device(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static int shim_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
static int shim_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}
static void shim_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static int shim_shm_unmap(sqlite3_file *f, int del)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), del);
}

/* clang-format off */
static const sqlite3_io_methods shim_methods = {
    .iVersion = 2, .xClose = shim_close, .xRead = shim_read, .xWrite = shim_write, .xTruncate = shim_truncate,
    .xSync = shim_sync, .xFileSize = shim_size, .xLock = shim_lock, .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_reserved, .xFileControl = shim_control, .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_device, .xShmMap = shim_shm_map, .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier, .xShmUnmap = shim_shm_unmap,
};
/* clang-format on */

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    (void)vfs;
    void *p = f;
    struct shim_file *file = p;
    void *real = file + 1;
    file->real = real;
    int rc = real_vfs->xOpen(real_vfs, name, file->real, flags, out_flags);
    file->base.pMethods = file->real->pMethods != NULL ? &shim_methods : NULL;
    return rc;
}
static int shim_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    int rc = count_down(NULL, NULL, 0, 0);
    return rc != SQLITE_OK ? rc : real_vfs->xDelete(real_vfs, name, sync);
}

static void shim_register(void)
{
    static sqlite3_vfs shim;
    if (real_vfs != NULL)
        return;
    real_vfs = sqlite3_vfs_find(NULL);
    shim = *real_vfs;
    shim.zName = "faults";
    shim.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
    shim.xOpen = shim_open;
    shim.xDelete = shim_delete;
    ck_assert_int_eq(sqlite3_vfs_register(&shim, 1), SQLITE_OK);
}

/* ---- the life ---- */

static struct kit k;
static long settled_pipe = -1; /* where the child says which batches are durably settled */

static void say(char what)
{
    if (settled_pipe >= 0 && write((int)settled_pipe, &what, 1) != 1)
        _exit(1);
}

/* Person b * N + i has outcome by its number; a third of each kind changes tables of its own. */
static void outcomes(struct entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t person = entries[i].row;
        entries[i].outcome = person % 5 == 0 ? OUTCOME_SKIPPED : person % 7 == 0 ? OUTCOME_DEFERRED : OUTCOME_CREATED;
        entries[i].reason = person % 5 == 0 ? REASON_IN_WORKSPACE : person % 7 == 0 ? REASON_PLAN_FULL : REASON_NONE;
        entries[i].has_lead_id = entries[i].outcome == OUTCOME_CREATED;
        if (entries[i].has_lead_id)
            entries[i].lead_id = kit_uuid(person);
    }
}

/* Opens, settles what is open, merges, adds the batches that are missing, merges. A new state and a second run alike.
 * -1 with k.e. */
static int live(void)
{
    struct state_options o = {.path = k.path,
                              .access = STATE_WRITE,
                              .sync = "life",
                              .memory_max = 4 << 20,
                              .clock = &k.clock.base};
    struct target list = {.kind = TARGET_LIST, .id = {{1}}, .status = TARGET_STATUS_UNKNOWN};
    struct batch *open;
    const char *done = NULL;
    size_t open_n;
    uint32_t target;
    if (state_open(&o, &k.s, &k.e) < 0 || state_lock(k.s, 0, &k.e) < 0 ||
        state_target_put(k.s, &list, false, &target, &k.e) < 0 ||
        state_batches_open(k.s, &k.arena, &open, &open_n, &k.e) < 0)
        return -1;
    for (size_t i = 0; i < open_n; i++) {
        outcomes(open[i].entries, open[i].entries_n);
        if (state_batch_settle(k.s, &open[i], &k.e) < 0)
            return -1;
    }
    if (state_merge(k.s, 1, &k.e) < 0)
        return -1;
    struct run_record run = {.started_ms = 1, .status = "running", .read = "full"};
    if (state_run_start(k.s, &run, &k.e) < 0)
        return -1;
    struct lookup_options l = {.refusal_context = 1};
    if (state_lookup_start(k.s, &l, &k.e) < 0)
        return -1;
    for (uint64_t b = 0; b < BATCHES; b++) {
        struct entry entries[N];
        size_t n = 0;
        for (uint64_t i = 0; i < N; i++) {
            struct remembered r;
            uint64_t person = b * N + i + 1;
            struct entry entry = kit_entry(&k, person, kit_mix(person));
            if (state_lookup(k.s, &entry.key, entry.fingerprint, person, &r, &k.e) < 0)
                return -1;
            if (r.kind == REMEMBERED_NOTHING)
                entries[n++] = entry;
        }
        struct batch batch = {.run = run.id, .op = OP_CREATE, .target = target, .entries = entries, .entries_n = n};
        if (n == 0)
            continue;
        if (state_batch_add(k.s, &batch, &k.e) < 0 || state_commit(k.s, &k.e) < 0)
            return -1;
        say('a'); /* the intent is durable, the request may leave */
        outcomes(entries, n);
        char text[32];
        snprintf(text, sizeof text, "%llu", (unsigned long long)b);
        if (state_batch_settle(k.s, &batch, &k.e) < 0 || state_set(k.s, "watermark", text, &k.e) < 0 ||
            state_commit(k.s, &k.e) < 0)
            return -1;
        say('s');
    }
    run.finished_ms = 2;
    run.status = "complete";
    if (state_merge(k.s, 1, &k.e) < 0 || state_run_finish(k.s, &run, &k.e) < 0 || state_prune(k.s, 3, &k.e) < 0 ||
        state_commit(k.s, &k.e) < 0 || state_get(k.s, "watermark", &done, &k.e) < 0)
        return -1;
    return 0;
}

/* The life is over; all that a run without faults would have reached is there. */
static void check_end(void)
{
    kit_audit(&k);
    uint64_t leads = 0, retries = 0;
    for (uint64_t person = 1; person <= BATCHES * N; person++) {
        struct remembered r = kit_lookup(&k, person, kit_mix(person), person % 2);
        bool created = person % 5 != 0 && person % 7 != 0;
        leads += created;
        retries += person % 5 != 0 && person % 7 == 0;
        ck_assert_int_eq(r.kind, created ? REMEMBERED_SAME : person % 5 == 0 ? REMEMBERED_REFUSED : REMEMBERED_NOTHING);
        if (person % 16 == 0)
            arena_reset(&k.arena);
    }
    ck_assert_uint_eq(state_leads_n(k.s), leads);
    ck_assert_uint_eq(state_retries_n(k.s), retries);
    ck_assert(!kit_exists(&k, ".journal"));
}

/* Intents that the dead child called durable must be found: settled ones as results, the others open. */
static void check_promises(const char *said, size_t n)
{
    static const char *const files[] = {"", "-wal", ".journal", ".journal-wal"};
    char before[4][SHA256_HEX_N], after[SHA256_HEX_N];
    size_t intents = 0, settled = 0, merged = 0;
    for (size_t i = 0; i < 4; i++)
        kit_digest(&k, files[i], before[i]);
    for (size_t i = 0; i < n; i++) {
        intents += said[i] == 'a';
        settled += said[i] == 's';
    }
    struct state *s = NULL;
    struct state_options o = {.path = k.path, .access = STATE_READ, .memory_max = 4 << 20, .clock = &k.clock.base};
    int rc = state_open(&o, &s, &k.e);
    if (intents == 0 && rc != 0) {
        ck_assert_msg(rc == 1, "%s", err_text(&k.e)); /* it died before there was a file */
        return;
    }
    ck_assert_msg(rc == 0, "%s", err_text(&k.e));
    struct batch *open;
    struct results *r;
    struct entry entry;
    enum op op;
    uint32_t target;
    size_t open_n, rows = 0;
    k.s = s;
    kit_audit(&k);
    kit_ok(&k, state_batches_open(s, &k.arena, &open, &open_n, &k.e));
    kit_ok(&k, state_results_open(s, 1, &r, &k.e));
    while (kit_ok(&k, state_results_next(r, &k.arena, &entry, &op, &target, &k.e)) == 1)
        rows++;
    state_results_close(r);
    merged = rows / N;
    ck_assert_uint_eq(rows % N, 0);
    ck_assert_uint_ge(merged, settled);
    ck_assert_uint_ge(merged + open_n, intents);
    ck_assert_uint_le(merged + open_n, intents + 1);
    state_close(s);
    k.s = NULL;
    for (size_t i = 0; i < 4; i++) {
        kit_digest(&k, files[i], after);
        ck_assert_msg(strcmp(before[i], after) == 0, "reading changed %s", files[i]);
    }
}

/* One life with a fault at write `at`; false when it came to its end before. */
static bool die_once(enum fault fault, long at)
{
    int ends[2], status;
    char said[64];
    size_t n = 0;
    kit_next(&k);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ends[0]);
        settled_pipe = ends[1];
        plan.fault = fault;
        plan.left = at;
        int rc = live();
        if (rc == 0)
            state_close(k.s);
        _exit(rc < 0 ? 1 : ALL_DONE);
    }
    close(ends[1]);
    for (ssize_t got; n < sizeof said && (got = read(ends[0], said + n, sizeof said - n)) > 0;)
        n += (size_t)got;
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == KILLED || WEXITSTATUS(status) == ALL_DONE),
                  "write %ld: status %d", at, status);
    check_promises(said, n);
    ck_assert_msg(live() == 0, "write %ld: %s", at, err_text(&k.e));
    check_end();
    return WEXITSTATUS(status) == KILLED;
}

START_TEST(death_at_every_write)
{
    shim_register();
    kit_init(&k);
    /* Odd and even writes by turns in the two forms, so that both meet every phase. */
    long at = 0;
    while (die_once(at % 2 == _i ? FAULT_DIE : FAULT_DIE_HALF, at))
        at++;
    ck_assert_int_gt(at, 40);
    kit_free(&k);
}
END_TEST

/* A large merge goes past the WAL: whoever dies in it leaves a journal that the next writer rolls back, and that a
 * reader cannot. */
START_TEST(death_in_a_large_merge)
{
    enum { LARGE = 110, LARGE_N = 1000 };
    static const long at[] = {1, 3, 400, 900};
    struct entry *entries = calloc(LARGE_N, sizeof *entries);
    ck_assert_ptr_nonnull(entries);
    shim_register();
    kit_init(&k);
    kit_open(&k, STATE_WRITE);
    kit_run(&k);
    for (uint64_t b = 0; b < LARGE; b++) {
        for (uint64_t i = 0; i < LARGE_N; i++) {
            entries[i] = kit_entry(&k, b * LARGE_N + i + 1, 5);
            entries[i].outcome = OUTCOME_CREATED;
        }
        kit_batch(&k, OP_CREATE, k.target, entries, LARGE_N);
        arena_reset(&k.arena);
    }
    free(entries);
    kit_close(&k);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        int status;
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            kit_open(&k, STATE_WRITE);
            plan.fault = i % 2 == 0 ? FAULT_DIE : FAULT_DIE_HALF;
            plan.left = at[i];
            kit_merge(&k);
            _exit(ALL_DONE);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == KILLED, "write %ld: status %d", at[i], status);
        struct state_options o = {.path = k.path, .access = STATE_READ, .memory_max = 256 << 20, .clock = &k.clock.base};
        struct state *reader;
        if (state_open(&o, &reader, &k.e) < 0)
            kit_failed(&k, -1, XS_STATE, "leadsync resume");
        state_close(reader);
        kit_open(&k, STATE_WRITE);
        ck_assert_uint_eq(state_leads_n(k.s), 0);
        kit_audit(&k);
        arena_reset(&k.arena);
        kit_close(&k);
    }
    kit_open(&k, STATE_WRITE);
    kit_merge(&k);
    ck_assert_uint_eq(state_leads_n(k.s), LARGE * LARGE_N);
    kit_audit(&k);
    kit_free(&k);
}
END_TEST

START_TEST(full_and_broken_disks_are_said_and_survived)
{
    enum fault fault = _i == 0 ? FAULT_FULL : FAULT_BROKEN;
    shim_register();
    kit_init(&k);
    for (long at = 0;; at++) {
        kit_next(&k);
        plan.fault = fault;
        plan.left = at;
        int rc = live();
        bool fired = plan.left == 0;
        if (rc < 0) {
            ck_assert_msg(k.e.status == XS_IO, "write %ld: status %d: %s", at, k.e.status, err_text(&k.e));
            err_clear(&k.e);
        }
        kit_close(&k); /* closing may meet the full disk as well */
        plan.left = -1;
        ck_assert_msg(live() == 0, "write %ld: %s", at, err_text(&k.e));
        check_end();
        if (rc == 0 && !fired)
            break;
        ck_assert_int_lt(at, 2000);
    }
    kit_free(&k);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_crash");
    TCase *c = tcase_create("crash");
    tcase_set_timeout(c, 300);
    tcase_add_loop_test(c, death_at_every_write, 0, 2);
    tcase_add_test(c, death_in_a_large_merge);
    tcase_add_loop_test(c, full_and_broken_disks_are_said_and_survived, 0, 2);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
