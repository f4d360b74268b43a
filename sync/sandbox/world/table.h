/* The leads: records in the order of their ids, found by id or by address. Knows no request and no JSON.
 *
 * A lead's id carries its place in the table, so that a look-up by id is an index and a comparison; a deleted lead
 * leaves its slot. One million leads with ten short fields take about 350 MB. */
#ifndef SYNC_SANDBOX_WORLD_TABLE_H
#define SYNC_SANDBOX_WORLD_TABLE_H

#include "sync/base/buf.h"
#include "sync/base/hash.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Texts of a lead; the first nine are fields of the API in this order (see sim_field_names). */
enum sim_field {
    BF_EMAIL,
    BF_FIRST_NAME,
    BF_LAST_NAME,
    BF_COMPANY_NAME,
    BF_JOB_TITLE,
    BF_PHONE,
    BF_WEBSITE,
    BF_PERSONALIZATION,
    BF_PL_VALUE,
    BF_ASSIGNED,    /* uuid text */
    BF_SUBSEQUENCE, /* uuid text */
    BF_CUSTOM,      /* packed pairs: a name and its value as JSON */
    BF_N
};
enum { BF_API_N = BF_PL_VALUE + 1 };

/* p NULL: absent; an empty text is not absent. */
struct sim_fields {
    struct str f[BF_N];
};

enum { SIM_NEVER = 0 }; /* a time that was never */

struct sim_lead {
    struct uuid id;
    char *text; /* packed fields, owned; NULL: the lead was deleted */
    uint32_t text_n;
    uint32_t next;      /* number of the next lead with the same address, 0: none */
    uint32_t place;     /* number of its campaign or list, 0: none; numbers count from 1 */
    uint32_t place_was; /* where it was before moved_ms */
    int64_t created_ms, updated_ms, touched_ms, moved_ms, contacted_ms, interest_ms, verify_due_ms;
    int64_t opened_ms, clicked_ms, replied_ms;
    uint32_t opens, clicks, replies;
    int16_t interest;
    int8_t status;
    bool has_interest, alone; /* alone: made by POST /leads, whose payload names its place */
};

struct sim_slot {
    uint64_t hash;
    uint32_t head; /* number of the first lead with that address; 0: none left */
    bool used;
};

struct sim_table {
    struct sim_lead **chunks; /* SIM_CHUNK leads each; leads never move in memory */
    size_t chunks_n, chunks_cap;
    uint32_t n; /* slots given out, deleted leads included */
    uint32_t live;
    struct sim_slot *slots; /* open addressing by the hash of the address */
    size_t slots_cap, slots_used;
    unsigned char secret[HASH_SECRET_N];
    bool exact_case;
    struct buf scratch; /* fields being packed, addresses being folded */
};

void sim_table_init(struct sim_table *t, uint64_t seed, bool exact_case);
void sim_table_free(struct sim_table *t);

/* The lead with number `no` (1..n), which may be deleted. */
struct sim_lead *sim_table_at(const struct sim_table *t, uint32_t no);
/* Its number, or 0 when there is no such lead or it was deleted. */
uint32_t sim_table_by_id(const struct sim_table *t, const struct uuid *id);
/* The next lead with that address after number `after` (0: the first one), or 0. Order is not by id. */
uint32_t sim_table_by_email(struct sim_table *t, struct str email, uint32_t after);
/* for (every lead with that address) */
#define sim_each_by_email(t, email, no) \
    for (uint32_t no = sim_table_by_email(t, email, 0); no != 0; no = sim_table_by_email(t, email, no))
/* Hash of an address as the table compares it. */
uint64_t sim_table_hash(struct sim_table *t, struct str email);

/* Puts a new lead with these fields at number `no`, which must be above n; numbers between stay deleted. The caller
 * fills the rest. NULL when memory is short. */
struct sim_lead *sim_table_put(struct sim_table *t, uint32_t no, const struct sim_fields *fields);
/* Numbers up to `no` count as given, and as deleted if they have no lead. 0/-1. */
int sim_table_skip(struct sim_table *t, uint32_t no);
/* Replaces the fields of a lead (never its address). 0/-1. */
int sim_table_set(struct sim_table *t, struct sim_lead *lead, const struct sim_fields *fields);
void sim_table_delete(struct sim_table *t, uint32_t no);

/* Borrowed from the lead until its fields change. */
void sim_lead_fields(const struct sim_lead *lead, struct sim_fields *out);
struct str sim_lead_email(const struct sim_lead *lead);

/* The number that an id made by sim_lead_id() carries. */
uint32_t sim_lead_no(const struct uuid *id);
/* A version 7 UUID that sorts by (ms, no). */
struct uuid sim_lead_id(uint64_t seed, int64_t ms, uint32_t no);

/* splitmix64: the generator behind ids and faults. */
uint64_t sim_mix(uint64_t x);

#endif
