# What a run did and would do, as records for people and scripts: report, counts, diff.
noinst_LIBRARIES += sync/libreport.a
sync_libreport_a_SOURCES = \
	sync/report/diff.c sync/report/diff.h \
	sync/report/diff_csv.c \
	sync/report/diff_flow.c \
	sync/report/diff_format.h \
	sync/report/diff_html.c sync/report/diff_html.h \
	sync/report/diff_html_parts.c \
	sync/report/diff_json.c \
	sync/report/diff_mask.c \
	sync/report/diff_match.c \
	sync/report/diff_record.c \
	sync/report/diff_text.c sync/report/diff_text.h \
	sync/report/diff_text_sum.c \
	sync/report/record.c sync/report/record.h \
	sync/report/page/page.c sync/report/page/page.h \
	sync/report/page/page_chart.c sync/report/page/page_chart.h \
	sync/report/page/page_files.h \
	sync/report/page/page_table.c sync/report/page/page_table.h \
	sync/report/page/page_value.c sync/report/page/page_value.h \
	sync/report/record_csv.c \
	sync/report/record_format.h \
	sync/report/record_html.c \
	sync/report/record_json.c \
	sync/report/record_text.c \
	sync/report/report_read.c sync/report/report_read.h \
	sync/report/run_begun.c sync/report/run_begun.h \
	sync/report/run_report.c sync/report/run_report.h \
	sync/report/table.c sync/report/table.h \
	sync/report/tally.c sync/report/tally.h
EXTRA_DIST += \
	sync/report/README.md

# The page's files as arrays of C, so that the program is one file.
PAGE_FILES = sync/report/page/page.html sync/report/page/page.css sync/report/page/page.js
nodist_sync_libreport_a_SOURCES = sync/report/page/page_files.c
EXTRA_DIST += $(PAGE_FILES) sync/report/page/embed.sed sync/report/page/README.md
CLEANFILES += sync/report/page/page_files.c
sync/report/page/page_files.c: $(PAGE_FILES) sync/report/page/embed.sed
	$(AM_V_GEN)$(MKDIR_P) sync/report/page && { \
		echo '#include "sync/report/page/page_files.h"'; \
		for kind in html css js; do \
			echo "const char *const page_file_$$kind[] = {" && \
			sed -f $(srcdir)/sync/report/page/embed.sed $(srcdir)/sync/report/page/page.$$kind && \
			echo '    0};' || exit 1; \
		done; } >$@.tmp && mv $@.tmp $@
