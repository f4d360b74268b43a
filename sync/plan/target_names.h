/* Names of campaigns and lists, for texts that people read. A lead in Instantly has only the id of its campaign or list. The
 * states have the name of every target that was ever resolved, so the API is not asked. If a state cannot be read, the text
 * shows the id. Records for programs always have ids (target_format()). */
#ifndef SYNC_PLAN_TARGET_NAMES_H
#define SYNC_PLAN_TARGET_NAMES_H

#include "sync/base/arena.h"
#include "sync/base/buf.h"
#include "sync/base/clock.h"
#include "sync/model/target.h"

struct state;

struct target_names {
    struct arena arena;
    struct target *v; /* those with a name; in the arena */
    size_t n, cap;
};

void target_names_init(struct target_names *p);
void target_names_free(struct target_names *p);
/* Adds a target that is not known yet and has a name. The name is copied. */
void target_names_add(struct target_names *p, const struct target *t);
bool target_names_know(const struct target_names *p, const struct target *t);
/* Adds the targets that the state knows. */
void target_names_of_state(struct target_names *p, struct state *s);
/* Adds the targets of every state in the default folder, of the sandbox or of Instantly, the state of the latest run first. The
 * state at `except` is left out, because the caller has it open; NULL: none. Reads files, takes no lock. */
void target_names_of_all(struct target_names *p, bool sandbox, const char *except, struct clock *clock);
/* Adds the targets of the state at `path`, if it exists. */
void target_names_of_file(struct target_names *p, const char *path, struct clock *clock);
/* Appends `campaign "Demo"` with the name escaped for a terminal, or `campaign UUID` if no name is known. 0/-1 (memory) */
int target_names_show(const struct target_names *p, const struct target *t, struct buf *out);
/* The same for a text such as "campaign:UUID" of target_format(); other texts are appended as they are. */
int target_names_show_text(const struct target_names *p, const char *text, struct buf *out);

#endif
