noinst_LIBRARIES += sync/libengine.a
sync_libengine_a_SOURCES = \
	sync/engine/check.c sync/engine/check.h sync/engine/check_int.h \
	sync/engine/check_api.c \
	sync/engine/diff.c sync/engine/diff.h sync/engine/diff_format.h \
	sync/engine/diff_csv.c \
	sync/engine/diff_json.c \
	sync/engine/diff_text.c \
	sync/engine/run_report.c sync/engine/run.h \
	sync/engine/tally.c sync/engine/tally.h
