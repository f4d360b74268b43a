# From a lead wanted and a lead remembered to an operation; where leads may go; rows that wait.
noinst_LIBRARIES += sync/libplan.a
sync_libplan_a_SOURCES = \
	sync/plan/changes.c sync/plan/changes.h \
	sync/plan/eligibility.c sync/plan/eligibility.h \
	sync/plan/plan.c sync/plan/plan.h \
	sync/plan/spool.c sync/plan/spool.h \
	sync/plan/target_names.c sync/plan/target_names.h \
	sync/plan/targets.c sync/plan/targets.h
EXTRA_DIST += \
	sync/plan/README.md
