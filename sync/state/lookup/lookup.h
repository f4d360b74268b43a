/* Lookups of one run: what is remembered of a key, and whether the run has met it before. */
#ifndef SYNC_STATE_LOOKUP_LOOKUP_H
#define SYNC_STATE_LOOKUP_LOOKUP_H

#include "sync/state/tables/fold.h"
#include "sync/state/lookup/index.h"
#include "sync/state/lookup/seen.h"
#include "sync/state/state_int.h"

/* What an unmerged journal makes of a key; only for STATE_READ. */
struct overlay_lead {
    struct hash128 key;
    struct fold fold;
};
struct overlay {
    struct overlay_lead *leads; /* owned; by key */
    size_t n;
    /* Where the entry of each item stands. */
    struct overlay_source {
        uint64_t batch;
        uint32_t entry;
    } * sources; /* owned */
    size_t sources_n, sources_cap;
    /* People with a known status, by address. */
    struct overlay_person {
        uint64_t address;
        int status;
    } * people; /* owned */
    size_t people_n, people_cap;
    struct arena arena; /* of the last batch that was read back */
};

struct lookup {
    struct lookup_options options;
    bool indexed;
    struct index leads;   /* when indexed */
    struct err *loading;  /* of the load of the leads, while it lasts */
    struct index refused; /* refusals that count, fingerprints mixed with the reason; when indexed */
    struct index retries; /* with STATE_READ, when indexed */
    unsigned char *met;   /* owned; when not indexed, a bit for each lead's number: met in this run */
    uint64_t met_n;
    struct seen seen;      /* keys that have no such bit: new ones */
    struct seen protected; /* keys of rows that make no lead, with their marks for rows */
    struct seen opted_out; /* people who opt out, by key or otherwise, the same */
    struct hash128 *open;  /* owned; by key: leads in batches that are open; for a writer, a reader has the overlay */
    size_t open_n;
    struct hash128 *forgotten; /* owned; by key */
    size_t forgotten_n;
    struct overlay overlay;
};

_Static_assert(REASON_N <= 256, "a reason fits the low byte of a fingerprint");
/* Refusals stand in their index with the reason mixed into the fingerprint: 56 bits have to agree. The factor is odd,
 * so that no two fingerprints become one, and spreads those that are near each other. */
static inline uint64_t lookup_mixed(uint64_t fingerprint)
{
    return fingerprint * UINT64_C(0x9e3779b97f4a7c15);
}

/* Has a row with the key competed in this run? 1/0/-1. */
int lookup_seen(struct state *s, const struct hash128 *key, struct err *e);
/* Has a row with the key been spared? 1 with its mark, 0, -1. */
int lookup_protected(struct state *s, const struct hash128 *key, uint64_t *mark, struct err *e);

/* ---- lookup_load.c ---- */
/* Makes known to the connection what loads the index. */
int lookup_register(struct state *s, struct err *e);
void lookup_free(struct lookup *l); /* NULL is fine */
bool lookup_is_open(const struct lookup *l, const struct hash128 *key);
bool lookup_is_forgotten(const struct lookup *l, const struct hash128 *key);

/* ---- overlay.c ---- */
/* Folds the unmerged part of the journal. XS_STATE when it does not fit memory_max. */
int overlay_load(struct state *s, struct overlay *o, struct err *e);
void overlay_free(struct overlay *o);
const struct overlay_lead *overlay_find(const struct overlay *o, const struct hash128 *key);
/* The recorded status of the person with this address (people_address()), if any. */
bool overlay_person(const struct overlay *o, uint64_t address, int *status);
/* As state_lead_get(), for a key that the overlay knows. */
int overlay_lead_get(struct state *s, struct overlay *o, const struct overlay_lead *lead, struct arena *arena,
                     struct known_lead *out, struct err *e);

/* ---- leads.c ---- */
/* A lead of the main file, without the overlay: 1/0/-1. */
int lead_get_stored(struct state *s, const struct hash128 *key, struct arena *arena, struct known_lead *out, struct err *e);

#endif
