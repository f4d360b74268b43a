noinst_LIBRARIES += sync/libapi.a
sync_libapi_a_SOURCES = \
	sync/api/api.h \
	sync/api/by_hand.c sync/api/by_hand.h \
	sync/api/by_hand_read.c \
	sync/api/client.c \
	sync/api/endpoint.c \
	sync/api/endpoint_jobs.c \
	sync/api/lookup.c \
	sync/api/lookup_jobs.c \
	sync/api/lookup_sending.c \
	sync/api/lookup_sequence.c \
	sync/api/pages.c sync/api/pages.h \
	sync/api/answer/answer.c sync/api/answer/answer.h \
	sync/api/answer/answer_added.c \
	sync/api/answer/answer_engagement.c \
	sync/api/answer/answer_jobs.c \
	sync/api/answer/answer_leads.c \
	sync/api/http/answer_reader.c sync/api/http/answer_reader.h \
	sync/api/body/body.c sync/api/body/body.h \
	sync/api/body/body_add.c \
	sync/api/body/body_by_hand.c \
	sync/api/body/body_list.c \
	sync/api/body/body_move.c \
	sync/api/body/body_patch.c \
	sync/api/http/classify.c sync/api/http/classify.h \
	sync/api/http/http_time.c sync/api/http/http_time.h \
	sync/api/http/jitter.c sync/api/http/jitter.h \
	sync/api/http/pacer.c sync/api/http/pacer.h \
	sync/api/http/queue.c sync/api/http/queue.h \
	sync/api/http/rate_share.c sync/api/http/rate_share.h \
	sync/api/http/request.c sync/api/http/request.h \
	sync/api/http/retry.c sync/api/http/retry.h \
	sync/api/http/second_chance.c sync/api/http/second_chance.h \
	sync/api/http/transport.h \
	sync/api/http/transport_advice.c sync/api/http/transport_advice.h \
	sync/api/http/transport_curl.c \
	sync/api/http/transport_read_only.c \
	sync/api/http/unpack.c sync/api/http/unpack.h \
	sync/api/http/url.c sync/api/http/url.h \
	sync/api/http/waits.c sync/api/http/waits.h
EXTRA_DIST += \
	sync/api/README.md \
	sync/api/answer/README.md \
	sync/api/body/README.md \
	sync/api/http/README.md
