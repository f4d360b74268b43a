# Unit tests of floor 3 (plan, report, upload, pipeline, preflight): one program per module.
ENGINE_TESTS = \
	tests/unit/batch_states.tap \
	tests/unit/check.tap \
	tests/unit/create.tap \
	tests/unit/create_lies.tap \
	tests/unit/diff.tap \
	tests/unit/diff_mask.tap \
	tests/unit/diff_html.tap \
	tests/unit/diff_narrow.tap \
	tests/unit/move.tap \
	tests/unit/move_job.tap \
	tests/unit/move_request.tap \
	tests/unit/page.tap \
	tests/unit/pages.tap \
	tests/unit/plan.tap \
	tests/unit/readback.tap \
	tests/unit/record.tap \
	tests/unit/refused.tap \
	tests/unit/rekey.tap \
	tests/unit/rekey_handover.tap \
	tests/unit/rekey_unread.tap \
	tests/unit/remove.tap \
	tests/unit/remove_identity.tap \
	tests/unit/run.tap \
	tests/unit/run_forgotten.tap \
	tests/unit/run_doubles.tap \
	tests/unit/run_missing.tap \
	tests/unit/run_guards.tap \
	tests/unit/run_record.tap \
	tests/unit/run_retries.tap \
	tests/unit/run_watermark.tap \
	tests/unit/run_report.tap \
	tests/unit/spool.tap \
	tests/unit/table.tap \
	tests/unit/update.tap \
	tests/unit/update_unread.tap \
	tests/unit/upload.tap
check_PROGRAMS += $(ENGINE_TESTS)
TESTS += $(ENGINE_TESTS)

# Texts that people and scripts read; GOLDEN_WRITE=1 writes them anew.
GOLDEN = tests/unit/golden.c tests/unit/golden.h
EXTRA_DIST += \
	tests/cases/diff/all.csv tests/cases/diff/all.html tests/cases/diff/none.html tests/cases/diff/all.json tests/cases/diff/all.ndjson tests/cases/diff/all.txt \
	tests/cases/diff/colour.txt tests/cases/diff/left_out.csv \
	tests/cases/diff/none.csv tests/cases/diff/none.json tests/cases/diff/none.ndjson tests/cases/diff/none.txt \
	tests/cases/plan/decide.txt \
	tests/cases/rooms.txt \
	tests/cases/words.txt \
	tests/cases/upload/batch_states.txt \
	tests/cases/report/sample.json tests/cases/report/sample.prom tests/cases/report/sample.txt

tests_unit_check_tap_SOURCES = tests/unit/check_test.c
tests_unit_check_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_check_tap_LDADD = $(TEST_LIBS) $(LEVEL_PREFLIGHT)
DIFF_KIT = tests/unit/diff_kit.c tests/unit/diff_kit.h
tests_unit_diff_tap_SOURCES = tests/unit/diff_test.c $(DIFF_KIT) $(GOLDEN)
tests_unit_diff_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_diff_tap_LDADD = $(TEST_LIBS) $(LEVEL_REPORT)
tests_unit_diff_mask_tap_SOURCES = tests/unit/diff_mask_test.c $(DIFF_KIT)
tests_unit_diff_mask_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_diff_mask_tap_LDADD = $(TEST_LIBS) $(LEVEL_REPORT)
tests_unit_diff_html_tap_SOURCES = tests/unit/diff_html_test.c $(DIFF_KIT) $(GOLDEN)
tests_unit_diff_html_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_diff_html_tap_LDADD = $(TEST_LIBS) $(LEVEL_REPORT)
tests_unit_page_tap_SOURCES = tests/unit/page_test.c
tests_unit_page_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_page_tap_LDADD = $(TEST_LIBS) $(LEVEL_REPORT)
tests_unit_diff_narrow_tap_SOURCES = tests/unit/diff_narrow_test.c $(DIFF_KIT)
tests_unit_diff_narrow_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_diff_narrow_tap_LDADD = $(TEST_LIBS) $(LEVEL_REPORT)
tests_unit_run_report_tap_SOURCES = tests/unit/run_report_test.c $(GOLDEN)
tests_unit_run_report_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_run_report_tap_LDADD = $(TEST_LIBS) $(LEVEL_REPORT)

# A whole run without a network: a world that misbehaves on order.
ENGINE_KIT = tests/unit/engine_kit.c tests/unit/engine_kit.h tests/harness/fake_world.c tests/harness/fake_world.h \
	tests/harness/fake_world_int.h tests/harness/fake_world_jobs.c tests/harness/fake_world_leads.c \
	tests/harness/fake_world_lies.c
tests_unit_create_lies_tap_SOURCES = tests/unit/create_lies_test.c
tests_unit_create_lies_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_create_lies_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_create_tap_SOURCES = tests/unit/create_test.c
tests_unit_create_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_create_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_readback_tap_SOURCES = tests/unit/readback_test.c
tests_unit_readback_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_readback_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_update_tap_SOURCES = tests/unit/update_test.c
tests_unit_update_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_update_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_update_unread_tap_SOURCES = tests/unit/update_unread_test.c
tests_unit_update_unread_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_update_unread_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_upload_tap_SOURCES = tests/unit/upload_test.c
tests_unit_upload_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_upload_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_batch_states_tap_SOURCES = tests/unit/batch_states_test.c
tests_unit_batch_states_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_batch_states_tap_LDADD = $(TEST_LIBS) $(LEVEL_UPLOAD)
tests_unit_plan_tap_SOURCES = tests/unit/plan_test.c
tests_unit_plan_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_plan_tap_LDADD = $(TEST_LIBS) $(LEVEL_PLAN)
tests_unit_spool_tap_SOURCES = tests/unit/spool_test.c
tests_unit_spool_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_spool_tap_LDADD = $(TEST_LIBS) $(LEVEL_PLAN)
tests_unit_run_record_tap_SOURCES = tests/unit/run_record_test.c
tests_unit_run_record_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_run_record_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_run_guards_tap_SOURCES = tests/unit/run_guards_test.c
tests_unit_run_guards_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_run_guards_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_run_retries_tap_SOURCES = tests/unit/run_retries_test.c
tests_unit_run_retries_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_run_retries_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_run_watermark_tap_SOURCES = tests/unit/run_watermark_test.c
tests_unit_run_watermark_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_run_watermark_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_run_tap_SOURCES = tests/unit/run_test.c
tests_unit_run_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_run_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_run_forgotten_tap_SOURCES = tests/unit/run_forgotten_test.c
tests_unit_run_forgotten_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_run_forgotten_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_refused_tap_SOURCES = tests/unit/refused_test.c
tests_unit_refused_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_refused_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_rekey_tap_SOURCES = tests/unit/rekey_test.c
tests_unit_rekey_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_rekey_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_rekey_handover_tap_SOURCES = tests/unit/rekey_handover_test.c
tests_unit_rekey_handover_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_rekey_handover_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_rekey_unread_tap_SOURCES = tests/unit/rekey_unread_test.c
tests_unit_rekey_unread_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_rekey_unread_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
MOVE_KIT = tests/unit/move_kit.c tests/unit/move_kit.h
tests_unit_move_tap_SOURCES = tests/unit/move_test.c
tests_unit_move_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_move_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_move_job_tap_SOURCES = tests/unit/move_job_test.c
tests_unit_move_job_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_move_job_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_move_request_tap_SOURCES = tests/unit/move_request_test.c
tests_unit_move_request_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_move_request_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
REMOVE_KIT = tests/unit/remove_kit.c tests/unit/remove_kit.h
tests_unit_remove_tap_SOURCES = tests/unit/remove_test.c
tests_unit_remove_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_remove_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_remove_identity_tap_SOURCES = tests/unit/remove_identity_test.c
tests_unit_remove_identity_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_remove_identity_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_run_doubles_tap_SOURCES = tests/unit/run_doubles_test.c
tests_unit_run_doubles_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_run_doubles_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)
tests_unit_run_missing_tap_SOURCES = tests/unit/run_missing_test.c
tests_unit_run_missing_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_run_missing_tap_LDADD = $(TEST_LIBS) $(LEVEL_PIPELINE)

tests_unit_record_tap_SOURCES = tests/unit/record_test.c
tests_unit_record_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_record_tap_LDADD = $(TEST_LIBS) $(LEVEL_REPORT)

tests_unit_table_tap_SOURCES = tests/unit/table_test.c
tests_unit_table_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_table_tap_LDADD = $(TEST_LIBS) $(LEVEL_REPORT)
tests_unit_pages_tap_SOURCES = tests/unit/pages_test.c
tests_unit_pages_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_pages_tap_LDADD = $(TEST_LIBS) sync/libcompare.a $(LEVEL_PLAN)
