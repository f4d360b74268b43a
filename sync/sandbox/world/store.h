/* The world in a file: one JSON object per line, the later line wins. Appended before an answer leaves, rewritten
 * compactly at the end. A last line that kill -9 cut short is dropped at the next start: its request was never
 * answered. */
#ifndef SYNC_SANDBOX_WORLD_STORE_H
#define SYNC_SANDBOX_WORLD_STORE_H

#include "sync/base/err.h"
#include "sync/sandbox/world/world.h"

struct sim_store;

/* Reads the file into the world, when there is one, and opens it for appending. Sets w->store. XS_STATE: not one of
 * ours. */
int sim_store_open(struct sim_world *w, const char *path, struct err *e);
/* Notes for the file; nothing without a store. A failure sticks, and sim_store_flush reports it. */
void sim_store_note_place(struct sim_world *w, uint32_t no);
void sim_store_note_lead(struct sim_world *w, uint32_t no);
void sim_store_note_deleted(struct sim_world *w, uint32_t no);
void sim_store_note_job(struct sim_world *w, size_t i);
void sim_store_note_clock(struct sim_world *w); /* how far it was moved on */
void sim_store_note_block(struct sim_world *w, size_t i);
/* Writes what was noted. -1 when it could not (XS_IO). */
int sim_store_flush(struct sim_world *w, struct err *e);
/* Rewrites the file compactly, closes it, and frees w->store. */
int sim_store_close(struct sim_world *w, struct err *e);

#endif
