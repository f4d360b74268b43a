# Black-box stories: shell scripts that speak TAP.
TEST_LOG_COMPILER = bash
# These check texts and scripts. No input reaches the program in them that no other story gives it, so they run without sanitizers.
TEXT_STORIES = \
	tests/cli/docs.test \
	tests/cli/help.test \
	tests/cli/lint.test \
	tests/cli/schema.test \
	tests/cli/schema_editor.test \
	tests/cli/setup.test \
	tests/cli/words.test
# The longest come first, so that none of them runs alone at the end; the others are in the order of their names.
STORIES = \
	tests/cli/pg_nightly.test \
	tests/cli/tls_proxy.test \
	tests/cli/sync_failmalloc.test \
	tests/cli/sync_failio.test \
	tests/cli/pg_week.test \
	tests/cli/sync_company.test \
	tests/cli/by_hand_lost.test \
	tests/cli/sync_waiting.test \
	tests/cli/soak.test \
	tests/cli/sync_memory.test \
	tests/cli/sync_faults.test \
	tests/cli/by_hand.test \
	tests/cli/by_hand_faults.test \
	tests/cli/by_hand_back.test \
	tests/cli/by_hand_lies.test \
	tests/cli/by_hand_people.test \
	tests/cli/check.test \
	tests/cli/columns.test \
	tests/cli/consent.test \
	tests/cli/cron.test \
	tests/cli/diff.test \
	tests/cli/diff_cost.test \
	tests/cli/diff_mask.test \
	tests/cli/diff_payload.test \
	tests/cli/evidence.test \
	tests/cli/examples.test \
	tests/cli/explain.test \
	tests/cli/explain_fates.test \
	tests/cli/exports.test \
	tests/cli/foreign_text.test \
	tests/cli/forget.test \
	tests/cli/forget_deaths.test \
	tests/cli/forget_list.test \
	tests/cli/init.test \
	tests/cli/init_goes_on.test \
	tests/cli/init_messy.test \
	tests/cli/jobs.test \
	tests/cli/key.test \
	tests/cli/names.test \
	tests/cli/plan_apply.test \
	tests/cli/plan_show.test \
	tests/cli/plans.test \
	tests/cli/odd_address.test \
	tests/cli/patch_merges.test \
	tests/cli/page.test \
	tests/cli/pg_connect.test \
	tests/cli/pg_frozen.test \
	tests/cli/pg_pull.test \
	tests/cli/pg_results.test \
	tests/cli/pg_watermark.test \
	tests/cli/pg_wrong_mapping.test \
	tests/cli/preview.test \
	tests/cli/rejects_again.test \
	tests/cli/rejects_round.test \
	tests/cli/restore.test \
	tests/cli/results.test \
	tests/cli/drift.test \
	tests/cli/pull.test \
	tests/cli/remote.test \
	tests/cli/remote_kill.test \
	tests/cli/run_usage.test \
	tests/cli/sandbox.test \
	tests/cli/size_limit.test \
	tests/cli/state_names.test \
	tests/cli/sqlite_wal.test \
	tests/cli/status.test \
	tests/cli/status_waits.test \
	tests/cli/sync_deaths.test \
	tests/cli/sync_dry.test \
	tests/cli/sync_exit.test \
	tests/cli/sync_guards.test \
	tests/cli/sync_hell.test \
	tests/cli/sync_kill.test \
	tests/cli/sync_lost_state.test \
	tests/cli/sync_main.test \
	tests/cli/sync_migrate.test \
	tests/cli/sync_mirror.test \
	tests/cli/sync_mirror_failmalloc.test \
	tests/cli/sync_mirror_kill.test \
	tests/cli/sync_lies_create.test \
	tests/cli/sync_lies_move.test \
	tests/cli/sync_lies_patch.test \
	tests/cli/sync_lies_remove.test \
	tests/cli/sync_move.test \
	tests/cli/sync_move_failmalloc.test \
	tests/cli/sync_opt_out.test \
	tests/cli/sync_people.test \
	tests/cli/sync_plan.test \
	tests/cli/sync_predict.test \
	tests/cli/sync_reasons.test \
	tests/cli/sync_refused.test \
	tests/cli/sync_rekey.test \
	tests/cli/sync_resume.test \
	tests/cli/sync_signal.test \
	tests/cli/sync_small.test \
	tests/cli/sync_stage.test \
	tests/cli/usage.test \
	tests/cli/verify.test \
	tests/cli/which_state.test
if !SANITIZED
TESTS += $(TEXT_STORIES)
endif
TESTS += $(STORIES)
EXTRA_DIST += tests/cases/results/80.txt tests/cases/results/110.txt tests/cases/exports tests/cli/lib.sh tests/cli/postgres.sh tests/cli/world.sh tests/cli/browser.py tests/cli/lsp.py tests/cli/page_browser.py tests/cli/people.py tests/cli/routed.py tests/cli/schema.py $(STORIES) $(TEXT_STORIES) demo.sh test.sh .shellcheckrc \
	.ci/run .ci/lib.sh .ci/set-up .ci/gcc .ci/sanitizers .ci/clang .ci/valgrind \
	scripts/setup.sh scripts/build.sh scripts/includes.py
