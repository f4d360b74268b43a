/* What the tests of the state share: a folder, a clock that stands still, leads made from numbers. */
#ifndef TESTS_UNIT_STATE_KIT_H
#define TESTS_UNIT_STATE_KIT_H

#include "sync/state/state.h"
#include "tests/unit/harness.h"

struct kit {
    char *dir, *path; /* owned */
    struct clock_fake clock;
    struct state *s;
    struct err e;
    struct arena arena;
    size_t memory_max;
    bool hashed;
    uint64_t run;
    unsigned files_n;
    uint32_t target; /* a list that every handle for writing knows */
};

void kit_init(struct kit *k);
/* The same, with a new state that is open for writing, and a first run. */
void kit_start(struct kit *k);
void kit_free(struct kit *k);
/* A new file in the same folder, as if the kit were new. */
void kit_next(struct kit *k);
/* Opens, and for STATE_WRITE locks. Fails the test when that fails. */
void kit_open(struct kit *k, enum state_access access);
void kit_close(struct kit *k);
/* Opens another handle of the same file for reading. */
struct state *kit_reader(struct kit *k);

/* Fails the test with the message of the error when rc is -1; returns rc. */
int kit_ok(struct kit *k, int rc);
/* The call must have failed with this status and say this; clears the error. */
void kit_failed(struct kit *k, int rc, enum exit_status status, const char *part);

uint64_t kit_mix(uint64_t x);
/* Person n: text in the arena, key by the rule. */
struct str kit_text(struct kit *k, uint64_t n);
struct hash128 kit_key(struct kit *k, uint64_t n);
struct uuid kit_uuid(uint64_t n);
/* A packed lead with an address and a first name, in the arena. */
struct str kit_values(struct kit *k, const char *email, const char *first_name);
/* An entry for person n at row n with fingerprint `fp`; no outcome yet. */
struct entry kit_entry(struct kit *k, uint64_t n, uint64_t fp);
struct entry kit_with(struct entry entry, enum outcome outcome, enum reason reason);
/* Person n, created as lead kit_uuid(n). */
struct entry kit_created(struct kit *k, uint64_t n, uint64_t fp);

uint64_t kit_run(struct kit *k);
/* Adds, commits and settles one batch with these entries, which have their outcomes; sets nothing else. */
uint64_t kit_batch(struct kit *k, enum op op, uint32_t target, struct entry *entries, size_t n);
void kit_merge(struct kit *k);
/* A batch of this entry alone, merged. */
void kit_one(struct kit *k, enum op op, struct entry entry);
/* Person n's lead, which must be known; in the arena. */
struct known_lead kit_lead(struct kit *k, uint64_t n);
/* The results of a run as one text: "row outcome number[!cells][?detail];…"; the number is the person's, "-" without
 * one. Static. */
const char *kit_listed(struct kit *k, uint64_t run);
/* As state_lookup() right after a fresh state_lookup_start(); hint as in struct lookup_options. */
struct remembered kit_lookup(struct kit *k, uint64_t n, uint64_t fp, uint64_t hint);
/* No violation, else the test fails with their list. */
void kit_audit(struct kit *k);

bool kit_exists(struct kit *k, const char *suffix);
/* SHA-256 of a file of the state; "missing" when it is not there or empty (an empty -wal may come and go). */
void kit_digest(struct kit *k, const char *suffix, char out[SHA256_HEX_N]);

#endif
