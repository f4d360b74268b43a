noinst_LIBRARIES += sync/libstate.a
EXTRA_DIST += docs/STATE.md
sync_libstate_a_SOURCES = \
	sync/state/state.h \
	sync/state/settings.h \
	sync/state/state_int.h \
	sync/state/create.c \
	sync/state/db/db.c sync/state/db/db.h \
	sync/state/db/bulk_insert.c sync/state/db/bulk_insert.h \
	sync/state/lock.c \
	sync/state/open.c \
	sync/state/paths.c \
	sync/state/schema.c sync/state/schema.h \
	sync/state/wal_pair.c \
	sync/state/forget/forget.c \
	sync/state/forget_list.c sync/state/forget_list.h \
	sync/state/forget/forgotten.c \
	sync/state/forget/person.c sync/state/forget/person.h \
	sync/state/forget/person_visit.c \
	sync/state/merge/append.c \
	sync/state/journal/journal.c \
	sync/state/journal/journal_note.c \
	sync/state/journal/journal_pair.c \
	sync/state/journal/journal_read.c \
	sync/state/journal/overlay.c \
	sync/state/lookup/ids.c \
	sync/state/lookup/index.c sync/state/lookup/index.h \
	sync/state/lookup/lookup.c sync/state/lookup/lookup.h \
	sync/state/lookup/lookup_load.c \
	sync/state/lookup/person_status.c \
	sync/state/lookup/seen.c sync/state/lookup/seen.h \
	sync/state/forget/trace.c sync/state/forget/trace.h \
	sync/state/tables/fold.c sync/state/tables/fold.h \
	sync/state/merge/merge.c sync/state/merge/merge.h \
	sync/state/merge/resolve.c \
	sync/state/tables/audit.c \
	sync/state/tables/batches.c \
	sync/state/tables/facts.c \
	sync/state/lookup/leads.c \
	sync/state/tables/pack.c sync/state/tables/pack.h \
	sync/state/tables/people.c sync/state/tables/people.h \
	sync/state/tables/prune.c \
	sync/state/tables/pulled.c \
	sync/state/tables/results.c sync/state/tables/results.h \
	sync/state/tables/retries.c \
	sync/state/tables/runs.c \
	sync/state/tables/values.c sync/state/tables/values.h
EXTRA_DIST += \
	sync/state/README.md \
	sync/state/db/README.md \
	sync/state/forget/README.md \
	sync/state/journal/README.md \
	sync/state/lookup/README.md \
	sync/state/merge/README.md \
	sync/state/tables/README.md
