noinst_LIBRARIES += sync/libbase.a
sync_libbase_a_SOURCES = \
	sync/base/arena.c sync/base/arena.h \
	sync/base/buf.c sync/base/buf.h \
	sync/base/clock.c sync/base/clock.h \
	sync/base/err.c sync/base/err.h \
	sync/base/file.c sync/base/file.h \
	sync/base/hash.c sync/base/hash.h \
	sync/base/jsonw.c sync/base/jsonw.h \
	sync/base/jsonw_member.c \
	sync/base/log.c sync/base/log.h \
	sync/base/log_syslog.c sync/base/log_syslog.h \
	sync/base/opt.c sync/base/opt.h \
	sync/base/stop.c sync/base/stop.h \
	sync/base/str.c sync/base/str.h \
	sync/base/text.c sync/base/text.h \
	sync/base/text_wrap.c
EXTRA_DIST += \
	sync/base/README.md
