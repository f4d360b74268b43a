# From a row to a planned operation.
noinst_LIBRARIES += sync/libpipeline.a
sync_libpipeline_a_SOURCES = \
	sync/pipeline/run.c sync/pipeline/run.h \
	sync/pipeline/run_apply.c \
	sync/pipeline/run_ask.c \
	sync/pipeline/run_fill.c sync/pipeline/run_fill.h \
	sync/pipeline/run_int.h \
	sync/pipeline/run_left.c \
	sync/pipeline/run_open.c \
	sync/pipeline/run_compare.c sync/pipeline/run_compare.h \
	sync/pipeline/run_pull.c sync/pipeline/run_pull.h \
	sync/pipeline/run_read.c \
	sync/pipeline/run_progress.c sync/pipeline/run_dry.h sync/pipeline/run_pulse.h \
	sync/pipeline/run_results.c \
	sync/pipeline/run_state.c \
	sync/pipeline/odd_cells.c sync/pipeline/odd_cells.h \
	sync/pipeline/source_bind.c sync/pipeline/source_bind.h \
	sync/pipeline/watermark.c sync/pipeline/watermark.h \
	sync/pipeline/phases/active_check.c \
	sync/pipeline/phases/dedupe_spool.c \
	sync/pipeline/phases/destination_check.c \
	sync/pipeline/phases/guard.c \
	sync/pipeline/phases/guard_spool.c \
	sync/pipeline/phases/missing.c \
	sync/pipeline/phases/missing_show.c \
	sync/pipeline/phases/opt_out_spool.c \
	sync/pipeline/phases/phases.c \
	sync/pipeline/phases/retry_rows.c \
	sync/pipeline/phases/stage.c \
	sync/pipeline/rows/conflicting_rows.c sync/pipeline/rows/conflicting_rows.h \
	sync/pipeline/rows/dry_cost.c \
	sync/pipeline/rows/dry_payload.c \
	sync/pipeline/rows/dry_run.c \
	sync/pipeline/rows/emptied_values.c \
	sync/pipeline/rows/forgotten_rows.c \
	sync/pipeline/rows/lead_location.c \
	sync/pipeline/rows/opt_out.c \
	sync/pipeline/rows/refused_before.c \
	sync/pipeline/rows/row_address.c \
	sync/pipeline/rows/row_cells.c \
	sync/pipeline/rows/row_key.c \
	sync/pipeline/rows/row_plan.c \
	sync/pipeline/rows/row_remote.c \
	sync/pipeline/rows/row_verify.c \
	sync/pipeline/rows/run_target.c \
	sync/pipeline/rows/unused_columns.c
EXTRA_DIST += \
	sync/pipeline/README.md \
	sync/pipeline/phases/README.md \
	sync/pipeline/rows/README.md
