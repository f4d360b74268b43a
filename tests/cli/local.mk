# Black-box stories: shell scripts that speak TAP.
TEST_LOG_COMPILER = bash
STORIES = \
	tests/cli/docs.test \
	tests/cli/examples.test \
	tests/cli/help.test \
	tests/cli/init.test \
	tests/cli/key.test \
	tests/cli/lint.test \
	tests/cli/preview.test \
	tests/cli/run_usage.test \
	tests/cli/sandbox.test \
	tests/cli/schema.test \
	tests/cli/setup.test \
	tests/cli/usage.test
TESTS += $(STORIES)
EXTRA_DIST += tests/cli/lib.sh $(STORIES) demo.sh test.sh .ci/run .shellcheckrc \
	scripts/setup.sh scripts/build.sh
