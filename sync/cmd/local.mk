# The commands: one file each, and what they share.
noinst_LIBRARIES += sync/libcmd.a
sync_libcmd_a_CPPFLAGS = $(AM_CPPFLAGS) -DPKGDATADIR='"$(pkgdatadir)"'
sync_libcmd_a_SOURCES = \
	sync/cmd/actor.c sync/cmd/actor.h \
	sync/cmd/by_hand.c sync/cmd/by_hand.h sync/cmd/by_hand_out.c \
	sync/cmd/check.c \
	sync/cmd/client.c sync/cmd/client.h \
	sync/cmd/command.c sync/cmd/command.h sync/cmd/commands.h \
	sync/cmd/common.c sync/cmd/common.h \
	sync/cmd/csv_name.c sync/cmd/csv_name.h \
	sync/cmd/diff.c sync/cmd/differ.h \
	sync/cmd/forget.c sync/cmd/forget.h sync/cmd/forget_export.c sync/cmd/forget_states.c \
	sync/cmd/help.c \
	sync/cmd/init.c \
	sync/cmd/job_entries.c sync/cmd/job_entries.h \
	sync/cmd/job_list.c sync/cmd/job_list.h \
	sync/cmd/job_view.c sync/cmd/job_view.h \
	sync/cmd/jobs.c sync/cmd/jobs.h \
	sync/cmd/jobs_entries.c \
	sync/cmd/jobs_show.c \
	sync/cmd/jobs_wait.c \
	sync/cmd/key.c sync/cmd/key.h \
	sync/cmd/leads.c sync/cmd/leads.h \
	sync/cmd/leads_add.c \
	sync/cmd/leads_change.c \
	sync/cmd/leads_delete.c \
	sync/cmd/leads_list.c \
	sync/cmd/move.c \
	sync/cmd/out.c sync/cmd/out.h \
	sync/cmd/out_check.c sync/cmd/out_check.h \
	sync/cmd/ping.c sync/cmd/ping.h \
	sync/cmd/preview.c \
	sync/cmd/preview_raw.c \
	sync/cmd/preview_raw.h \
	sync/cmd/progress.c sync/cmd/progress.h \
	sync/cmd/rejects.c \
	sync/cmd/results.c \
	sync/cmd/results_pick.c sync/cmd/results_pick.h \
	sync/cmd/results_record.c sync/cmd/results_record.h \
	sync/cmd/resume.c \
	sync/cmd/run_choice.c sync/cmd/run_choice.h \
	sync/cmd/runner.c sync/cmd/runner.h \
	sync/cmd/sandbox.c \
	sync/cmd/schema.c \
	sync/cmd/select_arg.c sync/cmd/select_arg.h \
	sync/cmd/state_arg.c sync/cmd/state_arg.h \
	sync/cmd/state_list.c sync/cmd/state_list.h \
	sync/cmd/state_note.c sync/cmd/state_note.h \
	sync/cmd/status.c sync/cmd/status_run.c sync/cmd/status_run.h \
	sync/cmd/sync.c \
	sync/cmd/sync_arg.c sync/cmd/sync_arg.h \
	sync/cmd/table.c sync/cmd/table.h \
	sync/cmd/value_arg.c sync/cmd/value_arg.h

# The schema that `init` names in the files it writes, by the program itself.
pkgdata_DATA = mappings/mapping.schema.json
CLEANFILES += mappings/mapping.schema.json
mappings/mapping.schema.json: leadsync$(EXEEXT)
	$(AM_V_GEN)mkdir -p mappings && ./leadsync$(EXEEXT) schema -o $@
