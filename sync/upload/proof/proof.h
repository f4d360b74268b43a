/* How it is found out what a write did, file by file. Internal to the upload. */
#ifndef SYNC_UPLOAD_PROOF_PROOF_H
#define SYNC_UPLOAD_PROOF_PROOF_H

#include "sync/upload/batch.h"

/* ---- lead_read.c ---- */
struct lead_read_calls {
    void (*seen)(struct batch_slice *s, uint32_t i, const struct remote_lead *remote); /* entry i's own lead; once a read */
    void (*done)(struct batch_slice *s);   /* progress[].shown says which leads were seen */
    void (*failed)(struct batch_slice *s); /* an answer is missing, and the upload knows why, or a stop came */
};
/* Reads the leads of a slice that have no outcome and no PATCH under way. By leads/list with ids: what it does not show may
 * be there. */
void lead_read_by_id(struct batch_slice *s, const struct lead_read_calls *calls);
/* GET /leads/{id}, one request per lead: a lead that is not shown does not exist under this id. */
void lead_read_each(struct batch_slice *s, const struct lead_read_calls *calls);
/* The same, for those that the read before it did not show. */
void lead_read_unshown(struct batch_slice *s, const struct lead_read_calls *calls);
/* Is the read under way still to show the k-th lead of the slice? */
bool lead_read_wants(const struct batch_slice *s, size_t k);
/* Other leads in the batch's target that have the entries' addresses. */
void lead_read_others(struct batch_slice *s, const struct lead_read_calls *calls);
/* For leads that a list did not show: reads each lead by its id, and a lead whose id is missing by its address in the target
 * where it should be (moves: in source and target), with the repeats for late answers. If it is found, the entry gets the new
 * id. A lead that is not shown then no longer exists. */
void lead_read_everywhere(struct batch_slice *s, const struct lead_read_calls *calls);
void lead_read_addresses_known(struct batch_slice *s);

/* ---- copy_proof.c ---- */
/* Do the leads of this batch stay where they are, and get copies? */
bool copy_wanted(const struct batch_run *b);
/* Before the request: which leads have the addresses in the destination already? Then move_check_leads(). */
void copy_check(struct batch_slice *s);
/* After the job: where are the copies? */
void copy_read(struct batch_slice *s);
/* Gives every open entry of a batch that was asked for its outcome. */
void copy_give_up(struct batch_run *b);

/* ---- location.c ---- */
/* The words about entry i that `results` shows: where its lead is. */
void batch_entry_location(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
/* Asks for the names of places that a detail has only the id of, once per batch. True: requests are under way, or the batch is
 * settled meanwhile; batch_check() goes on when they have ended. */
bool location_ask(struct batch_run *b);

/* ---- address_list.c ---- */
/* Part of lead_read_everywhere(): finds the addresses of leads whose ids are gone and of which the state has hashes, and
 * calls lead_read_addresses_known(), or the slice's `stopped`. */
void address_list_read(struct batch_slice *s);
void address_lists_free(struct upload *u);

/* ---- lead_match.c ---- */
/* Does a lead that was found under entry i's id have another address than the one that is known of it? Then that id is as
 * good as gone: the lead is another person's, and must not be written to. An address that is not known differs from none;
 * without addresses the row keys are compared. */
bool lead_match_differs(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
/* Entry i's id is gone, and a lead with its address has this one: from now on the entry is about that lead. False: it is
 * another key's. */
bool lead_match_relink(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
/* With a key of the mapping's own, the address may have passed to another row, whose new lead this is: it carries that row's
 * key, or it does not carry this row's and may have been created by this very run, of which the state does not know yet. */
bool lead_match_is_another_rows(struct batch_run *b, const struct entry *entry, const struct remote_lead *remote);

/* ---- wanted_lead.c ---- */
/* The lead that entry i wants, and which of its values are not in Instantly. */
struct wanted_lead {
    struct lead lead;
    uint32_t fields; /* a bit per core field */
    bool *custom;    /* per custom variable */
    size_t left_out; /* update_patch(): 1 + the index of a variable that is left out of the body; 0: none */
    struct arena arena;
};
/* 0, or -1: the upload has failed. Free it in both cases. */
int wanted_lead_open(struct batch_run *b, uint32_t i, struct wanted_lead *out);
void wanted_lead_free(struct wanted_lead *wanted);
/* Sets `fields` and `custom`; false: there is nothing to write. `ours`: we created it, and what the API does not tell is as
 * we sent it. */
bool wanted_lead_changes(struct batch_run *b, uint32_t i, struct wanted_lead *wanted, const struct remote_lead *remote,
                         bool ours);

/* ---- lead_scan.c ---- */
/* Sends creates; leads without an address are looked for first if the state may not know them. */
void lead_scan_start(struct batch_slice *s);
/* The hash of a row key, and that of the lead's, if it is in the target and has one. */
uint64_t lead_scan_key_hash(const struct upload *u, struct str key);
bool lead_scan_key(const struct upload *u, const struct target *target, const struct remote_lead *remote, uint64_t *hash);
void lead_scans_free(struct upload *u);

/* ---- rekey.c ---- */
/* Before a batch is settled: rows that had another lead keep it as a lead of its own. In the same commit. */
int rekey_settle(struct batch_run *b, struct err *e);
/* The id in the state of entry i's old lead is gone, and `remote` has the old address. If it is in the old lead's place and no
 * other row has it, it is the old lead, and rekey_settle() records it under the id that it has now. 0/-1 */
int rekey_old_reimported(struct batch_run *b, uint32_t i, const struct remote_lead *remote, struct err *e);
/* Entry i meets a lead in the target. `ours`: by its age it may be this request's work; a lead that this run or the state
 * knows already is not, and then it becomes false. With a key of the mapping's own the lead may be another key's.
 * `conflict`: the row may not take it over, since two rows would write to one lead every night. Then the entry is done. */
int rekey_meet(struct batch_run *b, uint32_t i, const struct uuid *id, bool *ours, bool *conflict, struct err *e);

/* ---- create_proof.c ---- */
/* Reads back the leads that were sent, or, before the first request, leads that may exist. */
void create_proof_start(struct batch_slice *s);

/* ---- update_proof.c ---- */
/* Does the lead have what was last sent for entry i? Fields that the API may leave out are trusted when it does. */
bool update_proof_is_stored(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
/* Is the answer to a PATCH the entry's own lead, with the new values? */
bool update_proof_answer(struct batch_run *b, uint32_t i, const struct api_reply *reply);
/* All PATCHes of the batch are answered: reads the leads until they have the new values. False: there are none. */
bool update_proof_next(struct batch_run *b);

/* ---- remove_proof.c ---- */
/* Reads the leads: removes those that are there, before the first request and, within its rounds, after it. */
void remove_proof_read(struct batch_slice *s);

/* ---- one_shot_proof.c ---- */
/* Keeps what the lead has before the request, for the results. */
void one_shot_proof_before(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
/* Does the lead show what was asked? Then entry i has its outcome. */
bool one_shot_proof_shows(struct batch_run *b, uint32_t i, const struct remote_lead *remote, int http_status);
/* Reads the leads until they show what was asked. What no lead can show is unattributed. */
void one_shot_proof_start(struct batch_slice *s);

/* ---- move_proof.c ---- */
/* Where have the leads come to? `job` NULL: none is known. */
void move_proof_start(struct batch_slice *s, struct job *job);
enum place move_proof_place(const struct batch_run *b, const struct remote_lead *remote);

#endif
