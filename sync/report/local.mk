# What a run did and would do, as records for people and scripts: report, counts, diff.
noinst_LIBRARIES += sync/libreport.a
sync_libreport_a_SOURCES = \
	sync/report/diff.c sync/report/diff.h \
	sync/report/diff_csv.c \
	sync/report/diff_flow.c \
	sync/report/diff_format.h \
	sync/report/diff_json.c \
	sync/report/diff_mask.c \
	sync/report/diff_match.c \
	sync/report/diff_record.c \
	sync/report/diff_text.c sync/report/diff_text.h \
	sync/report/diff_text_sum.c \
	sync/report/record.c sync/report/record.h \
	sync/report/record_csv.c \
	sync/report/record_format.h \
	sync/report/record_json.c \
	sync/report/record_text.c \
	sync/report/run_begun.c sync/report/run_begun.h \
	sync/report/run_report.c sync/report/run_report.h \
	sync/report/table.c sync/report/table.h \
	sync/report/tally.c sync/report/tally.h
EXTRA_DIST += \
	sync/report/README.md
