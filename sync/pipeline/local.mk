# From a row to a planned operation.
noinst_LIBRARIES += sync/libpipeline.a
sync_libpipeline_a_SOURCES = \
	sync/pipeline/run.c sync/pipeline/run.h \
	sync/pipeline/run_ask.c \
	sync/pipeline/run_fill.c \
	sync/pipeline/run_int.h \
	sync/pipeline/run_left.c \
	sync/pipeline/run_open.c \
	sync/pipeline/run_progress.c \
	sync/pipeline/run_results.c \
	sync/pipeline/run_state.c \
	sync/pipeline/source_bind.c sync/pipeline/source_bind.h \
	sync/pipeline/watermark.c sync/pipeline/watermark.h \
	sync/pipeline/phases/run_doubles.c \
	sync/pipeline/phases/run_gone.c \
	sync/pipeline/phases/run_guard.c \
	sync/pipeline/phases/run_hold.c \
	sync/pipeline/phases/run_phases.c \
	sync/pipeline/phases/run_stage.c \
	sync/pipeline/phases/run_watch.c \
	sync/pipeline/rows/run_address.c \
	sync/pipeline/rows/run_cells.c \
	sync/pipeline/rows/run_emptied.c \
	sync/pipeline/rows/run_flips.c \
	sync/pipeline/rows/run_forgotten.c \
	sync/pipeline/rows/run_identity.c \
	sync/pipeline/rows/run_opt_out.c \
	sync/pipeline/rows/run_rows.c \
	sync/pipeline/rows/run_show.c \
	sync/pipeline/rows/run_target.c \
	sync/pipeline/rows/run_wanted.c \
	sync/pipeline/rows/run_where.c
EXTRA_DIST += \
	sync/pipeline/README.md \
	sync/pipeline/phases/README.md \
	sync/pipeline/rows/README.md
