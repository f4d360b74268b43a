noinst_LIBRARIES += sync/libplanfile.a
sync_libplanfile_a_SOURCES = \
	sync/planfile/plan_file.h \
	sync/planfile/plan_file_int.h \
	sync/planfile/plan_json.c \
	sync/planfile/plan_read.c \
	sync/planfile/plan_record.c \
	sync/planfile/plan_write.c
EXTRA_DIST += sync/planfile/README.md
