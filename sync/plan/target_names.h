/* Campaigns and lists by name, for texts that people read. Instantly tells of a lead only the id of where it is; names are
 * in the states, which keep that of every target that was ever resolved. Nothing is asked of the API, and a name is only
 * a courtesy: what cannot be read is done without. Records for programs have ids (target_format()), not this. */
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
/* Adds one that is not known yet; without a name it is no news. The name is copied. */
void target_names_add(struct target_names *p, const struct target *t);
bool target_names_know(const struct target_names *p, const struct target *t);
/* Adds those that the state knows. */
void target_names_of_state(struct target_names *p, struct state *s);
/* Adds those of every state of the default folder, sandbox or not, the latest run's first; but for the one at `except`
 * (NULL: none), which the caller has open. Reads files, takes no lock. */
void target_names_of_all(struct target_names *p, bool sandbox, const char *except, struct clock *clock);
/* Of the state at `path`, if there is one. */
void target_names_of_file(struct target_names *p, const char *path, struct clock *clock);
/* Appends `campaign "Demo"`, the name harmless to a terminal; `campaign UUID` where no name is known. 0/-1 (memory) */
int target_names_show(const struct target_names *p, const struct target *t, struct buf *out);
/* The same of "campaign:UUID" as target_format() has it; anything else as it is. */
int target_names_show_text(const struct target_names *p, const char *text, struct buf *out);

#endif
