# Unit tests of api: one program a module.
API_TESTS = \
	tests/unit/answer.tap tests/unit/answer_engagement.tap tests/unit/answer_reader.tap tests/unit/api_config.tap tests/unit/body.tap tests/unit/by_hand.tap \
	tests/unit/classify.tap tests/unit/http_time.tap tests/unit/jobs.tap tests/unit/leads_list.tap \
	tests/unit/lookup.tap tests/unit/lookup_jobs.tap tests/unit/pacer.tap tests/unit/queue.tap \
	tests/unit/queue_order.tap tests/unit/rate_share.tap tests/unit/transport_curl.tap \
	tests/unit/transport_ends.tap tests/unit/waits.tap tests/unit/queue_rate.tap tests/unit/url.tap
check_PROGRAMS += $(API_TESTS)
TESTS += $(API_TESTS)

FAKE_TRANSPORT = tests/harness/fake_transport.c tests/harness/fake_transport.h

ANSWER_KIT = tests/unit/answer_kit.c tests/unit/answer_kit.h
tests_unit_answer_engagement_tap_SOURCES = tests/unit/answer_engagement_test.c $(ANSWER_KIT)
tests_unit_answer_engagement_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_answer_engagement_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_answer_tap_SOURCES = tests/unit/answer_test.c $(ANSWER_KIT)
tests_unit_answer_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_answer_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_answer_reader_tap_SOURCES = tests/unit/answer_reader_test.c
tests_unit_answer_reader_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_answer_reader_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_body_tap_SOURCES = tests/unit/body_test.c $(ANSWER_KIT)
tests_unit_body_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_body_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_by_hand_tap_SOURCES = tests/unit/by_hand_test.c
tests_unit_by_hand_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_by_hand_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_classify_tap_SOURCES = tests/unit/classify_test.c
tests_unit_classify_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_classify_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_http_time_tap_SOURCES = tests/unit/http_time_test.c
tests_unit_http_time_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_http_time_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_jobs_tap_SOURCES = tests/unit/jobs_test.c
tests_unit_jobs_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_jobs_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_pacer_tap_SOURCES = tests/unit/pacer_test.c
tests_unit_pacer_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_pacer_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
QUEUE_KIT = tests/unit/queue_kit.c tests/unit/queue_kit.h
tests_unit_api_config_tap_SOURCES = tests/unit/api_config_test.c
tests_unit_api_config_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_api_config_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_leads_list_tap_SOURCES = tests/unit/leads_list_test.c
tests_unit_leads_list_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_leads_list_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_lookup_tap_SOURCES = tests/unit/lookup_test.c
tests_unit_lookup_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_lookup_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_lookup_jobs_tap_SOURCES = tests/unit/lookup_jobs_test.c
tests_unit_lookup_jobs_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_lookup_jobs_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_queue_order_tap_SOURCES = tests/unit/queue_order_test.c
tests_unit_queue_order_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_queue_order_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_queue_tap_SOURCES = tests/unit/queue_test.c
tests_unit_queue_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_queue_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
TRANSPORT_KIT = tests/unit/transport_kit.c tests/unit/transport_kit.h tests/harness/peer.c tests/harness/peer.h
tests_unit_transport_ends_tap_SOURCES = tests/unit/transport_ends_test.c $(TRANSPORT_KIT)
tests_unit_transport_ends_tap_CFLAGS = $(TEST_CFLAGS) -pthread
tests_unit_transport_ends_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_transport_curl_tap_SOURCES = tests/unit/transport_curl_test.c $(TRANSPORT_KIT)
tests_unit_transport_curl_tap_CFLAGS = $(TEST_CFLAGS) -pthread
tests_unit_transport_curl_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_rate_share_tap_SOURCES = tests/unit/rate_share_test.c
tests_unit_rate_share_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_rate_share_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_waits_tap_SOURCES = tests/unit/waits_test.c
tests_unit_waits_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_waits_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_queue_rate_tap_SOURCES = tests/unit/queue_rate_test.c
tests_unit_queue_rate_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_queue_rate_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
tests_unit_url_tap_SOURCES = tests/unit/url_test.c
tests_unit_url_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_url_tap_LDADD = $(TEST_LIBS) $(LEVEL_API)
