noinst_LIBRARIES += sync/libstate.a
sync_libstate_a_SOURCES = \
	sync/state/append.c \
	sync/state/audit.c \
	sync/state/batches.c \
	sync/state/create.c \
	sync/state/db.c sync/state/db.h \
	sync/state/facts.c \
	sync/state/feed.c sync/state/feed.h \
	sync/state/fold.c sync/state/fold.h \
	sync/state/forget.c \
	sync/state/forget_list.c sync/state/forget_list.h \
	sync/state/forgotten.c \
	sync/state/ids.c \
	sync/state/index.c sync/state/index.h \
	sync/state/journal.c \
	sync/state/journal_note.c \
	sync/state/journal_read.c \
	sync/state/leads.c \
	sync/state/lock.c \
	sync/state/lookup.c sync/state/lookup.h sync/state/lookup_load.c \
	sync/state/merge.c sync/state/merge.h \
	sync/state/open.c \
	sync/state/overlay.c \
	sync/state/pack.c sync/state/pack.h \
	sync/state/paths.c \
	sync/state/people.c sync/state/people.h \
	sync/state/person.c sync/state/person.h \
	sync/state/person_visit.c \
	sync/state/prune.c \
	sync/state/resolve.c \
	sync/state/results.c sync/state/results.h \
	sync/state/retries.c \
	sync/state/runs.c \
	sync/state/schema.c sync/state/schema.h \
	sync/state/seen.c sync/state/seen.h \
	sync/state/state.h sync/state/state_int.h \
	sync/state/values.c sync/state/values.h
EXTRA_DIST += docs/STATE.md
