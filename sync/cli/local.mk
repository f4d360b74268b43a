# The commands, and what they share.
noinst_LIBRARIES += sync/libcli.a
sync_libcli_a_CPPFLAGS = $(AM_CPPFLAGS) -DPKGDATADIR='"$(pkgdatadir)"'
sync_libcli_a_SOURCES = \
	sync/cli/actor.c sync/cli/actor.h \
	sync/cli/client.c sync/cli/client.h \
	sync/cli/command.c sync/cli/command.h \
	sync/cli/commands.h \
	sync/cli/common.c sync/cli/common.h \
	sync/cli/help.c \
	sync/cli/key.c sync/cli/key.h \
	sync/cli/out.c sync/cli/out.h \
	sync/cli/out_check.c sync/cli/out_check.h \
	sync/cli/pager.c sync/cli/pager.h \
	sync/cli/ping.c sync/cli/ping.h \
	sync/cli/progress.c sync/cli/progress.h \
	sync/cli/sandbox.c \
	sync/cli/schema.c \
	sync/cli/args/csv_name.c sync/cli/args/csv_name.h \
	sync/cli/args/run_choice.c sync/cli/args/run_choice.h \
	sync/cli/args/run_words.c sync/cli/args/run_words.h \
	sync/cli/args/select_arg.c sync/cli/args/select_arg.h \
	sync/cli/args/state_arg.c sync/cli/args/state_arg.h \
	sync/cli/args/state_list.c sync/cli/args/state_list.h \
	sync/cli/args/state_note.c sync/cli/args/state_note.h \
	sync/cli/args/sync_arg.c sync/cli/args/sync_arg.h \
	sync/cli/args/value_arg.c sync/cli/args/value_arg.h \
	sync/cli/explain/explain.c sync/cli/explain/explain.h \
	sync/cli/explain/explain_cells.c \
	sync/cli/explain/explain_history.c \
	sync/cli/explain/explain_json.c \
	sync/cli/explain/explain_now.c \
	sync/cli/explain/explain_row.c \
	sync/cli/explain/explain_states.c \
	sync/cli/explain/explain_text.c \
	sync/cli/explain/explain_why.c \
	sync/cli/history/forget.c sync/cli/history/forget.h \
	sync/cli/history/forget_export.c \
	sync/cli/history/forget_states.c \
	sync/cli/history/rejects.c \
	sync/cli/history/results.c \
	sync/cli/history/results_record.c sync/cli/history/results_record.h \
	sync/cli/history/results_written.c sync/cli/history/results_written.h \
	sync/cli/history/results_pick.c sync/cli/history/results_pick.h \
	sync/cli/history/status.c \
	sync/cli/history/status_page.c sync/cli/history/status_page.h \
	sync/cli/history/status_run.c sync/cli/history/status_run.h \
	sync/cli/history/status_waits.c sync/cli/history/status_waits.h \
	sync/cli/jobs/job_entries.c sync/cli/jobs/job_entries.h \
	sync/cli/jobs/job_list.c sync/cli/jobs/job_list.h \
	sync/cli/jobs/job_view.c sync/cli/jobs/job_view.h \
	sync/cli/jobs/jobs.c sync/cli/jobs/jobs.h \
	sync/cli/jobs/jobs_entries.c \
	sync/cli/jobs/jobs_show.c \
	sync/cli/jobs/jobs_wait.c \
	sync/cli/leads/by_hand.c sync/cli/leads/by_hand.h \
	sync/cli/leads/by_hand_out.c \
	sync/cli/leads/leads.c sync/cli/leads/leads.h \
	sync/cli/leads/leads_add.c \
	sync/cli/leads/leads_change.c \
	sync/cli/leads/leads_delete.c \
	sync/cli/leads/leads_list.c \
	sync/cli/leads/move.c \
	sync/cli/run/adopt.c \
	sync/cli/run/apply.c \
	sync/cli/run/check.c \
	sync/cli/run/diff.c \
	sync/cli/run/diff_against.c sync/cli/run/diff_against.h \
	sync/cli/run/differ.h \
	sync/cli/run/init.c \
	sync/cli/run/mapping_name.c sync/cli/run/mapping_name.h \
	sync/cli/run/preview.c \
	sync/cli/run/preview_raw.c sync/cli/run/preview_raw.h \
	sync/cli/run/pull.c \
	sync/cli/run/resume.c \
	sync/cli/run/runner.c sync/cli/run/runner.h \
	sync/cli/run/sync.c \
	sync/cli/run/verify.c \
	sync/cli/run/verify_list.c sync/cli/run/verify_list.h \
	sync/cli/run/verify_page.c sync/cli/run/verify_page.h
EXTRA_DIST += \
	sync/cli/README.md \
	sync/cli/args/README.md \
	sync/cli/explain/README.md \
	sync/cli/history/README.md \
	sync/cli/jobs/README.md \
	sync/cli/leads/README.md \
	sync/cli/run/README.md
