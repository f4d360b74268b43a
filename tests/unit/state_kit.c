#include "config.h"

#include "tests/unit/state_kit.h"

#include "sync/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { START_MS = 1700000000 };

void kit_init(struct kit *k)
{
    memset(k, 0, sizeof *k);
    k->dir = unit_tmpdir();
    k->path = path_join(k->dir, "people.db");
    ck_assert_ptr_nonnull(k->path);
    clock_fake_init(&k->clock, (int64_t)START_MS * 1000);
    arena_init(&k->arena, 1 << 30);
    k->memory_max = 64 << 20;
}

void kit_free(struct kit *k)
{
    kit_close(k);
    err_clear(&k->e);
    arena_free(&k->arena);
    free(k->path);
    free(k->dir);
}

void kit_start(struct kit *k)
{
    kit_init(k);
    kit_open(k, STATE_WRITE);
    kit_run(k);
}

void kit_next(struct kit *k)
{
    kit_close(k);
    err_clear(&k->e);
    arena_free(&k->arena);
    free(k->path);
    k->path = NULL;
    ck_assert_int_ge(asprintf(&k->path, "%s/people-%u.db", k->dir, ++k->files_n), 0);
}

static struct state_options options(struct kit *k, enum state_access access)
{
    return (struct state_options){.path = k->path,
                                  .access = access,
                                  .values_hashed = k->hashed,
                                  .memory_max = k->memory_max,
                                  .clock = &k->clock.base};
}

void kit_open(struct kit *k, enum state_access access)
{
    struct state_options o = options(k, access);
    ck_assert_int_eq(kit_ok(k, state_open(&o, &k->s, &k->e)), 0);
    if (access == STATE_READ)
        return;
    struct target list = {.kind = TARGET_LIST, .id = {{1}}, .status = TARGET_STATUS_UNKNOWN};
    kit_ok(k, state_lock(k->s, 0, &k->e));
    kit_ok(k, state_target_put(k->s, &list, false, &k->target, &k->e));
}

void kit_close(struct kit *k)
{
    state_close(k->s);
    k->s = NULL;
}

struct state *kit_reader(struct kit *k)
{
    struct state *s;
    struct state_options o = options(k, STATE_READ);
    ck_assert_int_eq(kit_ok(k, state_open(&o, &s, &k->e)), 0);
    return s;
}

int kit_ok(struct kit *k, int rc)
{
    ck_assert_msg(rc >= 0, "%s", err_text(&k->e));
    return rc;
}

void kit_failed(struct kit *k, int rc, enum exit_status status, const char *part)
{
    ck_assert_int_eq(rc, -1);
    ck_assert_msg(k->e.status == status, "status %d: %s", k->e.status, err_text(&k->e));
    ck_assert_msg(strstr(err_text(&k->e), part) != NULL, "%s", err_text(&k->e));
    err_clear(&k->e);
}

uint64_t kit_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct str kit_text(struct kit *k, uint64_t n)
{
    char text[64];
    int length = snprintf(text, sizeof text, "person%llu@example.com", (unsigned long long)n);
    char *copy = arena_dup(&k->arena, text, (size_t)length);
    ck_assert_ptr_nonnull(copy);
    return (struct str){copy, (size_t)length};
}

struct hash128 kit_key(struct kit *k, uint64_t n)
{
    struct str text = kit_text(k, n);
    return hash_keyed128(state_secret(k->s), text.p, text.n);
}

struct uuid kit_uuid(uint64_t n)
{
    struct uuid id;
    uint64_t half[2] = {kit_mix(n), kit_mix(n + 1)};
    memcpy(id.b, half, sizeof id.b);
    return id;
}

struct str kit_values(struct kit *k, const char *email, const char *first_name)
{
    struct lead_shape shape = {.id = 0};
    struct lead lead = {.shape = &shape};
    struct buf packed = BUF_INIT(1 << 20);
    struct str out;
    lead.core[LEAD_EMAIL] = (struct value){VALUE_STRING, email, strlen(email)};
    lead.core[LEAD_FIRST_NAME] = (struct value){VALUE_STRING, first_name, strlen(first_name)};
    ck_assert_int_eq(lead_pack(&lead, &packed), 0);
    ck_assert_int_eq(arena_str(&k->arena, buf_str(&packed), &out), 0);
    buf_free(&packed);
    return out;
}

struct entry kit_entry(struct kit *k, uint64_t n, uint64_t fp)
{
    struct entry entry = {.fingerprint = fp, .row = n, .line = n + 1};
    entry.key_text = entry.email = kit_text(k, n);
    entry.key = kit_key(k, n);
    entry.values = kit_values(k, entry.email.p, "Ada");
    return entry;
}

struct entry kit_with(struct entry entry, enum outcome outcome, enum reason reason)
{
    entry.outcome = outcome;
    entry.reason = reason;
    return entry;
}

struct entry kit_created(struct kit *k, uint64_t n, uint64_t fp)
{
    struct entry entry = kit_with(kit_entry(k, n, fp), OUTCOME_CREATED, REASON_NONE);
    entry.has_lead_id = true;
    entry.lead_id = kit_uuid(n);
    return entry;
}

uint64_t kit_run(struct kit *k)
{
    struct run_record run = {.started_ms = k->clock.wall, .status = "running", .read = "full"};
    kit_ok(k, state_run_start(k->s, &run, &k->e));
    return k->run = run.id;
}

uint64_t kit_batch(struct kit *k, enum op op, uint32_t target, struct entry *entries, size_t n)
{
    struct batch b = {.run = k->run, .op = op, .target = target, .entries = entries, .entries_n = n};
    kit_ok(k, state_batch_add(k->s, &b, &k->e));
    kit_ok(k, state_commit(k->s, &k->e));
    kit_ok(k, state_batch_settle(k->s, &b, &k->e));
    kit_ok(k, state_commit(k->s, &k->e));
    return b.id;
}

void kit_merge(struct kit *k)
{
    kit_ok(k, state_merge(k->s, 1, &k->e));
}

void kit_one(struct kit *k, enum op op, struct entry entry)
{
    kit_batch(k, op, k->target, &entry, 1);
    kit_merge(k);
}

struct known_lead kit_lead(struct kit *k, uint64_t n)
{
    struct known_lead lead;
    struct hash128 key = kit_key(k, n);
    ck_assert_int_eq(kit_ok(k, state_lead_get(k->s, &key, &k->arena, &lead, &k->e)), 1);
    return lead;
}

const char *kit_listed(struct kit *k, uint64_t run)
{
    static struct buf out = BUF_INIT(1 << 20);
    struct results *r;
    struct entry entry;
    enum op op;
    uint32_t target;
    buf_reset(&out);
    kit_ok(k, state_results_open(k->s, run, &r, &k->e));
    while (kit_ok(k, state_results_next(r, &k->arena, &entry, &op, &target, &k->e)) == 1) {
        const char *at = entry.key_text.n > 0 ? memchr(entry.key_text.p, '@', entry.key_text.n) : NULL;
        struct str who = at != NULL ? (struct str){entry.key_text.p + 6, (size_t)(at - entry.key_text.p) - 6} : STR("-");
        ck_assert_int_eq(buf_addf(&out, "%llu %s %.*s%s%.*s%s%.*s;", (unsigned long long)entry.row,
                                  outcome_text(entry.outcome), STR_ARG(who), entry.cells.n > 0 ? "!" : "",
                                  STR_ARG(entry.cells), entry.detail.n > 0 ? "?" : "", STR_ARG(entry.detail)),
                         0);
    }
    state_results_close(r);
    return buf_cstr(&out);
}

struct remembered kit_lookup(struct kit *k, uint64_t n, uint64_t fp, uint64_t hint)
{
    struct lookup_options o = {.refusal_context = 1, .rows_hint = hint};
    struct remembered r;
    struct hash128 key = kit_key(k, n);
    kit_ok(k, state_lookup_start(k->s, &o, &k->e));
    kit_ok(k, state_lookup(k->s, &key, fp, 1, &r, &k->e));
    return r;
}

void kit_audit(struct kit *k)
{
    struct buf out = BUF_INIT(1 << 20);
    size_t violations;
    kit_ok(k, state_audit(k->s, &out, &violations, &k->e));
    ck_assert_msg(violations == 0, "%zu violations: %s", violations, buf_cstr(&out));
    buf_free(&out);
}

static char *file_name(struct kit *k, const char *suffix)
{
    char *name = NULL;
    ck_assert_int_ge(asprintf(&name, "%s%s", k->path, suffix), 0);
    return name;
}

bool kit_exists(struct kit *k, const char *suffix)
{
    char *name = file_name(k, suffix);
    bool there = access(name, F_OK) == 0;
    free(name);
    return there;
}

void kit_digest(struct kit *k, const char *suffix, char out[SHA256_HEX_N])
{
    char *name = file_name(k, suffix);
    struct buf bytes = BUF_INIT(256 << 20);
    strcpy(out, "missing");
    if (kit_exists(k, suffix)) {
        kit_ok(k, file_read(name, &bytes, XS_STATE, XS_STATE, &k->e));
        if (bytes.n > 0)
            ck_assert_int_eq(sha256_hex(bytes.p, bytes.n, out), 0);
    }
    buf_free(&bytes);
    free(name);
}
