/* What the tests of a run share: a folder with a mapping, a source and a state, a world without a network, a clock that
 * only waiting moves. */
#ifndef TESTS_UNIT_ENGINE_KIT_H
#define TESTS_UNIT_ENGINE_KIT_H

#include "sync/pipeline/run.h"
#include "sync/state/state.h"
#include "tests/harness/fake_world.h"
#include "tests/unit/harness.h"

struct ekit {
    char *dir;
    char state_path[512], csv_path[512], yaml_path[512];
    struct clock_fake clock;
    struct world *world;
    struct api_config api;
    struct run_config config; /* mapping and transport are set by ekit_sync() */
    struct run_report report; /* of the last run */
    struct err e;             /* of the last run */
    const char *guard;        /* "NAME=VALUE" of the next runs; NULL: none */
};

#define EKIT_HEAD "version: 1\nname: nightly\nsource: {csv: {path: people.csv}}\n"
#define EKIT_LIST "target: {list: " WORLD_LIST "}\n"
#define EKIT_CAMPAIGN "target: {campaign: " WORLD_CAMPAIGN "}\n"
#define EKIT_FIELDS "fields: {email: email, first_name: first}\n"
#define EKIT_KEYED "fields: {email: email, first_name: first}\nkey: [id]\n"
#define EKIT_THREE "email,first\nann@example.com,Ann\nbob@example.com,Bob\ncyd@example.com,Cyd\n"

void ekit_init(struct ekit *k);
void ekit_free(struct ekit *k);
void ekit_write(const char *path, const char *text);
void ekit_mapping(struct ekit *k, const char *yaml);
void ekit_csv(struct ekit *k, const char *text);
/* `n` rows "email,first" of people that start with `prefix`. */
void ekit_people(struct ekit *k, const char *prefix, unsigned n);
/* Runs SQL on crm.db beside the mapping, for sources that are a database. */
void ekit_crm(struct ekit *k, const char *sql);
/* The night after: a day is over, and requests are counted anew. */
void ekit_later(struct ekit *k);
/* Requests since the last count that wrote. */
unsigned ekit_writes(const struct ekit *k);
/* A lead with the address is in WORLD_LIST. */
bool ekit_there(const struct ekit *k, const char *email);
/* A whole run, from the mapping file to the report; the state's invariants hold after it. Returns the exit status. */
int ekit_sync(struct ekit *k);
int ekit_resume(struct ekit *k);
uint64_t ekit_outcome(const struct ekit *k, enum outcome outcome);
uint64_t ekit_reason(const struct ekit *k, enum reason reason);
/* Outcomes and reasons of the last run, for messages; static. */
const char *ekit_text(const struct ekit *k);
/* A setting of the state, "" when there is none or no state; static. */
const char *ekit_setting(struct ekit *k, const char *name);

/* The last run ended so, with so many rows of each outcome. */
#define EKIT_ENDS(k, status) \
    ck_assert_msg((int)(k)->report.exit_code == (int)(status), "exit %d, not %d: %s %s", (int)(k)->report.exit_code, \
                  (int)(status), err_text(&(k)->e), ekit_text(k))
#define EKIT_COUNT(k, what, count) \
    ck_assert_msg(ekit_outcome(k, OUTCOME_##what) == (count), "%s: %llu, not %llu; read %llu", #what, \
                  (unsigned long long)ekit_outcome(k, OUTCOME_##what), (unsigned long long)(count), \
                  (unsigned long long)(k)->report.tally.read)
#define EKIT_REASON(k, what, count) \
    ck_assert_msg(ekit_reason(k, REASON_##what) == (count), "%s: %llu, not %llu", #what, \
                  (unsigned long long)ekit_reason(k, REASON_##what), (unsigned long long)(count))

#endif
