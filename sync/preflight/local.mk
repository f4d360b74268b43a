# Everything that can be verified before a run.
noinst_LIBRARIES += sync/libpreflight.a
sync_libpreflight_a_SOURCES = \
	sync/preflight/check.c sync/preflight/check.h \
	sync/preflight/check_api.c \
	sync/preflight/check_count.c \
	sync/preflight/check_guard.c \
	sync/preflight/check_int.h \
	sync/preflight/check_others.c \
	sync/preflight/check_sql.c \
	sync/preflight/check_values.c \
	sync/preflight/check_watermark.c
EXTRA_DIST += \
	sync/preflight/README.md
