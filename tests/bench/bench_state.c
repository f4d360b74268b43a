/* What the state costs, in figures: journal, merge, index, lookups, bytes a lead. Prints, judges nothing.
 *
 * usage: bench_state [LEADS in thousands, 1000] [FOLDER, /tmp] [MEMORY in MB, 256] */
#include "config.h"

#include "sync/state/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 1000, GROUP = 16, VALUES_N = 150, MORE_MAX = 1000000 };

static double now(void)
{
    return (double)clock_system()->mono_us(clock_system()) / 1e6;
}

/* Processor time of this process, user and system: what stays the same when others use the machine. */
static double cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void check(int rc, const struct err *e)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "bench_state: %s\n", err_text(e));
    exit(EXIT_FAILURE);
}

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct bench {
    struct state *s;
    size_t memory_max;
    char path[512];
    struct err e;
    char text[BATCH][40];
    char values[VALUES_N];
    struct entry entries[BATCH];
};

static void open_state(struct bench *b)
{
    struct state_options o = {.path = b->path,
                              .access = STATE_WRITE,
                              .sync = "bench",
                              .memory_max = b->memory_max,
                              .clock = clock_system()};
    check(state_open(&o, &b->s, &b->e), &b->e);
    check(state_lock(b->s, 0, &b->e), &b->e);
}

static void fill_entry(struct bench *b, size_t i, uint64_t person)
{
    struct entry *entry = &b->entries[i];
    memset(entry, 0, sizeof *entry);
    int n = snprintf(b->text[i], sizeof b->text[i], "person%llu@example.com", (unsigned long long)person);
    entry->key_text = entry->email = (struct str){b->text[i], (size_t)n};
    entry->key = hash_keyed128(state_secret(b->s), b->text[i], (size_t)n);
    entry->fingerprint = mix(person) | 1;
    entry->row = person + 1;
    entry->line = person + 2;
    entry->values = (struct str){b->values, sizeof b->values};
    entry->has_lead_id = true;
    uint64_t id[2] = {mix(person + 1), mix(person + 2)};
    memcpy(entry->lead_id.b, id, sizeof id);
}

/* Journals and merges people first … first + n - 1. */
static void upload(struct bench *b, uint64_t first, uint64_t n, const char *what)
{
    struct run_record run = {.started_ms = 1, .status = "running", .read = "full"};
    check(state_run_start(b->s, &run, &b->e), &b->e);
    double start = now(), outside = 0;
    unsigned pending = 0;
    for (uint64_t at = first; at < first + n; at += BATCH) {
        double t = now();
        for (size_t i = 0; i < BATCH; i++)
            fill_entry(b, i, at + i);
        outside += now() - t;
        struct batch batch = {.run = run.id, .op = OP_CREATE, .target = 0, .entries = b->entries, .entries_n = BATCH};
        check(state_batch_add(b->s, &batch, &b->e), &b->e);
        if (++pending % GROUP == 0)
            check(state_commit(b->s, &b->e), &b->e);
        for (size_t i = 0; i < BATCH; i++)
            b->entries[i].outcome = OUTCOME_CREATED;
        check(state_batch_settle(b->s, &batch, &b->e), &b->e);
    }
    check(state_commit(b->s, &b->e), &b->e);
    double journal = now() - start - outside;
    start = now();
    double start_cpu = cpu();
    check(state_merge(b->s, 1, &b->e), &b->e);
    double merge = now() - start, merge_cpu = cpu() - start_cpu;
    printf("%-28s %9.2f s  %6.2f M rows/s\n", what, journal, (double)n / journal / 1e6);
    printf("  merge                      %9.2f s  %6.2f M rows/s  (%.2f s of processor)\n", merge, (double)n / merge / 1e6,
           merge_cpu);
}

static void lookups(struct bench *b, uint64_t n, uint64_t looked, uint64_t hint, const char *what)
{
    struct lookup_options o = {.rows_hint = hint};
    struct remembered r;
    double start = cpu();
    check(state_lookup_start(b->s, &o, &b->e), &b->e);
    double load = cpu() - start, spent = 0;
    uint64_t same = 0, stride = n / looked;
    for (uint64_t at = 0; at < looked; at += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            fill_entry(b, i, (at + i) * stride);
        start = cpu();
        for (size_t i = 0; i < BATCH; i++) {
            check(state_lookup(b->s, &b->entries[i].key, b->entries[i].fingerprint, at + i, &r, &b->e), &b->e);
            same += r.kind == REMEMBERED_SAME;
        }
        spent += cpu() - start;
    }
    printf("%-28s %9.3f s to start, %6.3f us a lookup (%llu of %llu the same)\n", what, load, spent * 1e6 / (double)looked,
           (unsigned long long)same, (unsigned long long)looked);
}

static void new_keys(struct bench *b, uint64_t n, uint64_t leads)
{
    struct remembered r;
    struct lookup_options o = {.rows_hint = 0};
    check(state_lookup_start(b->s, &o, &b->e), &b->e);
    double spent = 0;
    for (uint64_t at = 0; at < n; at += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            fill_entry(b, i, leads + at + i);
        double start = cpu();
        for (size_t i = 0; i < BATCH; i++)
            check(state_lookup(b->s, &b->entries[i].key, b->entries[i].fingerprint, at + i, &r, &b->e), &b->e);
        spent += cpu() - start;
    }
    printf("%-28s %6.3f us a lookup\n", "new keys, seen set", spent * 1e6 / (double)n);
}

static void sizes(struct bench *b, uint64_t leads)
{
    struct stat st;
    struct rusage usage;
    state_close(b->s);
    b->s = NULL;
    if (stat(b->path, &st) == 0)
        printf("file                         %9lld bytes, %.1f a lead; beside %d B of values and %d B of text: %.1f\n",
               (long long)st.st_size, (double)st.st_size / (double)leads, VALUES_N, 22,
               (double)st.st_size / (double)leads - VALUES_N - 22);
    getrusage(RUSAGE_SELF, &usage);
    printf("peak memory                  %9ld KB\n", usage.ru_maxrss);
}

int main(int argc, char **argv)
{
    struct bench *b = calloc(1, sizeof *b);
    uint64_t n = (argc > 1 ? strtoull(argv[1], NULL, 10) : 1000) * 1000;
    char folder[400];
    if (b == NULL)
        return EXIT_FAILURE;
    snprintf(folder, sizeof folder, "%s/bench_state-XXXXXX", argc > 2 ? argv[2] : "/tmp");
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return EXIT_FAILURE;
    }
    b->memory_max = (argc > 3 ? strtoull(argv[3], NULL, 10) : 256) << 20;
    snprintf(b->path, sizeof b->path, "%s/bench.db", folder);
    memset(b->values, 'v', sizeof b->values);
    open_state(b);
    upload(b, 0, n, "journal, into empty");
    lookups(b, n, n, 0, "lookups, indexed");
    lookups(b, n, n / 10, 1, "lookups, unindexed");
    lookups(b, n, BATCH, 1, "lookups, 1000 rows only");
    new_keys(b, n, n);
    upload(b, n, n / 100, "journal, 1 % more");
    uint64_t more = n < MORE_MAX ? n : MORE_MAX;
    upload(b, n + n / 100, more, "journal, another million");
    sizes(b, n + n / 100 + more);
    unlink(b->path);
    char lock[600];
    snprintf(lock, sizeof lock, "%s.lock", b->path);
    unlink(lock);
    rmdir(folder);
    free(b);
    return EXIT_SUCCESS;
}
