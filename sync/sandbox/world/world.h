/* The world behind the API: workspace, campaigns, lists, leads, jobs, block list, and the knobs a test turns.
 *
 * One thread owns it; nothing here blocks but the write to the store. Every change goes through a function that also
 * notes it for the store (see store.h), so that an endpoint cannot forget to. Times are wall-clock milliseconds;
 * `now_ms` stands still during a request. */
#ifndef SYNC_SANDBOX_WORLD_WORLD_H
#define SYNC_SANDBOX_WORLD_WORLD_H

#include "sync/base/buf.h"
#include "sync/base/err.h"
#include "sync/base/hash.h"
#include "sync/sandbox/world/faults.h"
#include "sync/sandbox/sandbox.h"
#include "sync/sandbox/world/table.h"
#include "sync/sandbox/world/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the next jobs go; the names are in jobs.c. */
enum sim_job_mode {
    SIM_JOB_OK,
    SIM_JOB_FAIL,
    SIM_JOB_CANCEL,
    SIM_JOB_VANISH,
    SIM_JOB_PAUSE,
    SIM_JOB_DRAINING,
    SIM_JOB_ZERO,
    SIM_JOB_PARTIAL,
    SIM_JOB_UNKNOWN,
    SIM_JOB_STUCK,
    SIM_JOB_LIES,
    SIM_JOB_MODES
};

struct sim_knobs {
    unsigned rate_per_second, rate_per_minute;
    int64_t latency_ms, plan_limit, read_lag_ms, job_ms, verify_ms, esp_ms;
    int64_t advance_ms; /* how far the world's clock is ahead of the system's */
    bool spec_strict, patch_merges, plan_partial, refuse_unknown, plan_is_bundle;
    enum sim_job_mode job_mode;
    int64_t job_mode_left; /* jobs it still applies to; negative: all */
    char *scopes;          /* owned; NULL: every scope */
};

/* A campaign or a list. */
struct sim_place {
    struct uuid id, owner;
    char *name; /* owned */
    bool is_campaign, has_owner, has_enrichment_flag, enrichment;
    int status; /* of a campaign */
    int64_t created_ms, updated_ms;
    unsigned locks;     /* open move jobs that touch it */
    unsigned core_seen; /* bits of enum sim_field: variables a lead has brought */
    char *diagnosis;    /* owned word of sending-status; NULL: what the status says. Not in the store */
    char *mail;         /* owned body of the one mail of a campaign's sequence; NULL: it has none. Not in the store */
    char **vars;        /* owned custom variable names */
    size_t vars_n, vars_cap;
};

struct sim_job {
    char id[25];
    enum sim_job_mode mode;
    bool done, hidden;
    const char *status; /* static text, once done */
    int64_t created_ms, updated_ms, due_ms;
    uint32_t from, from_list, to;                                        /* places by number, 0: none */
    char *filters;                                                       /* the request body as JSON, owned */
    int64_t total, moved, duplicated, missing_email, elsewhere, blocked; /* missing_email -1: null */
    char *emails; /* JSON array of moved addresses, owned; NULL until done */
};

struct sim_block {
    struct uuid id;
    char *value; /* owned, lower case */
    bool is_domain;
    int64_t created_ms;
};

/* A write whose client has no answer, and whose effect is still to come. */
struct sim_late {
    char *method, *path, *type, *body; /* owned; type: content type, NULL: not sent */
    size_t body_n;
    int64_t due_ms;
};

struct sim_verification {
    char *email;
    int64_t due_ms;
};

/* What happened so far; GET /__state shows it. */
enum { SIM_ROUTES_MAX = 40 };
struct sim_counters {
    uint64_t by_route[SIM_ROUTES_MAX]; /* see sim_route_name */
    uint64_t requests, answers[600], rate_limited, locked, refused_schema, unknown_keys, faults;
    uint64_t created, updated, deleted, moved, copied;
};

struct sim_world {
    uint64_t seed;
    int64_t now_ms, last_id_ms;
    uint64_t ids_made; /* of places, blocks */
    struct uuid workspace, owner, blocklist;
    struct sim_knobs knobs;
    bool answer_now; /* waiting answers leave at the server's next turn, which resets this */
    struct sim_table leads;
    struct sim_place *places;
    size_t places_n, places_cap;
    struct sim_job *jobs;
    size_t jobs_n, jobs_cap, jobs_closed; /* every job before jobs_closed is done */
    struct sim_late *late;                /* in the order of the requests; lost when the sandbox ends */
    size_t late_n, late_cap;
    struct sim_block *blocks;
    size_t blocks_n, blocks_cap;
    struct sim_verification *verifications;
    size_t verifications_n, verifications_cap;
    struct sim_counters counters;
    struct sim_window accepted_1s, accepted_60s, seen_1s, seen_60s;
    struct sim_faults faults;
    /* Does what a job was made for, when it ends, and sets its counters: sim_move_run(). */
    void (*carry_out)(struct sim_world *w, struct sim_job *job);
    char *key;                    /* owned; NULL: any */
    struct sim_store *store;      /* NULL: memory only */
    struct sim_request_log *ring; /* the last requests, see ring.h */
};

int sim_world_init(struct sim_world *w, const struct sandbox_config *config, struct err *e);
void sim_world_free(struct sim_world *w);
void sim_late_free(struct sim_late *late); /* what it owns */

/* Doubles an array of `size` bytes an element when it is full. The array, or NULL when memory is short. */
void *sim_grow(void *array, size_t n, size_t *cap, size_t size);

/* --- places, by number from 1 --- */
struct sim_place *sim_place_at(struct sim_world *w, uint32_t no);
bool sim_place_locked(struct sim_world *w, uint32_t no); /* false for 0 */
uint32_t sim_place_by_id(const struct sim_world *w, const struct uuid *id, bool is_campaign);
uint32_t sim_place_by_text(const struct sim_world *w, struct str id_or_name, bool is_campaign);
/* Adds one; id NULL makes one. The number, or 0 when memory is short. */
uint32_t sim_place_add(struct sim_world *w, struct str name, bool is_campaign, const struct uuid *id);
/* Remembers a variable that a lead brought. 0/-1. */
int sim_place_var(struct sim_world *w, uint32_t no, struct str name);
void sim_place_changed(struct sim_world *w, uint32_t no); /* to be called after changing one */

/* --- leads --- */
/* Creates a lead. 0 when memory is short. The caller may still change the record, then calls sim_world_lead_changed.
 * */
uint32_t sim_world_lead_add(struct sim_world *w, const struct sim_fields *fields, uint32_t place);
int sim_world_lead_set(struct sim_world *w, uint32_t no, const struct sim_fields *fields);
void sim_world_lead_changed(struct sim_world *w, uint32_t no);
void sim_world_lead_delete(struct sim_world *w, uint32_t no);
/* Gives the leads of a place new ids, as a deletion and a new import by hand do; the rest of each lead
 * stays. 0/-1. */
int sim_world_new_ids(struct sim_world *w, uint32_t place);
bool sim_world_has(struct sim_world *w, struct str email, uint32_t place);
bool sim_world_has_kind(struct sim_world *w, struct str email, bool campaigns, bool lists, uint32_t but_not);
/* Leads that the plan still takes; INT64_MAX without a limit. */
int64_t sim_world_room(const struct sim_world *w);

/* --- block list --- */
int sim_block_add(struct sim_world *w, struct str value);
bool sim_block_has(const struct sim_world *w, struct str email);

/* Whether `word` is part of `text`, in any case (ASCII); an empty word is part of everything. */
bool sim_text_has(struct str text, struct str word);
/* An address as the API's own check takes it: one @, a dotted domain, no blanks, at most 254 bytes. */
bool sim_email_valid(struct str email);

#endif
