# The engine: from a row to a proven outcome.
noinst_LIBRARIES += sync/libengine.a
sync_libengine_a_SOURCES = \
	sync/engine/address_list.c \
	sync/engine/changes.c sync/engine/changes.h \
	sync/engine/check.c sync/engine/check.h sync/engine/check_api.c sync/engine/check_int.h \
	sync/engine/check_count.c \
	sync/engine/check_guard.c \
	sync/engine/check_sql.c \
	sync/engine/check_values.c \
	sync/engine/check_watermark.c \
	sync/engine/create.c \
	sync/engine/create_proof.c \
	sync/engine/create_refused.c \
	sync/engine/diff.c sync/engine/diff.h sync/engine/diff_format.h \
	sync/engine/diff_csv.c \
	sync/engine/diff_json.c \
	sync/engine/diff_text.c \
	sync/engine/group.c \
	sync/engine/hand.c sync/engine/hand.h sync/engine/hand_int.h \
	sync/engine/hand_add.c \
	sync/engine/hand_assign.c \
	sync/engine/hand_delete.c sync/engine/hand_run.c \
	sync/engine/hand_find.c \
	sync/engine/hand_move.c \
	sync/engine/hand_people.c \
	sync/engine/hand_state.c \
	sync/engine/hand_write.c \
	sync/engine/held_ids.c sync/engine/held_ids.h \
	sync/engine/job_find.c \
	sync/engine/jobs.c \
	sync/engine/look.c \
	sync/engine/missing_target.c sync/engine/missing_target.h \
	sync/engine/move.c sync/engine/move.h \
	sync/engine/move_look.c \
	sync/engine/people.c sync/engine/people.h \
	sync/engine/lead_match.c \
	sync/engine/places.c sync/engine/places.h \
	sync/engine/plan.c sync/engine/plan.h \
	sync/engine/keyed.c \
	sync/engine/readback.c \
	sync/engine/rekey.c sync/engine/rekey_look.c \
	sync/engine/refused_alike.c sync/engine/refused_alike.h \
	sync/engine/remove.c \
	sync/engine/run.c sync/engine/run.h sync/engine/run_int.h \
	sync/engine/run_doubles.c \
	sync/engine/run_address.c \
	sync/engine/run_ask.c \
	sync/engine/run_cells.c \
	sync/engine/run_emptied.c \
	sync/engine/run_gone.c \
	sync/engine/run_begun.c sync/engine/run_begun.h \
	sync/engine/run_fill.c \
	sync/engine/run_forgotten.c \
	sync/engine/run_guard.c \
	sync/engine/run_hold.c \
	sync/engine/run_left.c \
	sync/engine/run_phases.c \
	sync/engine/run_progress.c \
	sync/engine/run_identity.c \
	sync/engine/run_flips.c \
	sync/engine/run_open.c \
	sync/engine/source_bind.c sync/engine/source_bind.h \
	sync/engine/run_opt_out.c \
	sync/engine/run_report.c \
	sync/engine/run_results.c \
	sync/engine/run_rows.c \
	sync/engine/run_show.c \
	sync/engine/run_stage.c \
	sync/engine/run_state.c \
	sync/engine/run_target.c \
	sync/engine/run_where.c \
	sync/engine/run_wanted.c \
	sync/engine/run_watch.c \
	sync/engine/spool.c sync/engine/spool.h \
	sync/engine/tally.c sync/engine/tally.h \
	sync/engine/targets.c sync/engine/targets.h \
	sync/engine/update.c \
	sync/engine/upload.c sync/engine/upload.h \
	sync/engine/verify.c \
	sync/engine/watermark.c sync/engine/watermark.h \
	sync/engine/upload_open.c \
	sync/engine/work.c sync/engine/work_wait.c sync/engine/work.h
