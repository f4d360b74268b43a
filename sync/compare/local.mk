# What Instantly holds against what is wanted.
noinst_LIBRARIES += sync/libcompare.a
sync_libcompare_a_SOURCES = \
	sync/compare/pages.c sync/compare/pages.h \
	sync/compare/pages_find.c \
	sync/compare/pages_int.h \
	sync/compare/pages_read.c \
	sync/compare/remote.c sync/compare/remote.h \
	sync/compare/verify.c sync/compare/verify.h
EXTRA_DIST += \
	sync/compare/README.md
