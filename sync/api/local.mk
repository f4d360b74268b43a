noinst_LIBRARIES += sync/libapi.a
sync_libapi_a_SOURCES = \
	sync/api/answer.c sync/api/answer.h \
	sync/api/answer_added.c \
	sync/api/answer_jobs.c \
	sync/api/answer_leads.c \
	sync/api/answer_reader.c sync/api/answer_reader.h \
	sync/api/api.h \
	sync/api/body.c sync/api/body.h \
	sync/api/body_add.c \
	sync/api/body_by_hand.c \
	sync/api/body_list.c \
	sync/api/body_move.c \
	sync/api/body_patch.c \
	sync/api/by_hand.c sync/api/by_hand.h \
	sync/api/classify.c sync/api/classify.h \
	sync/api/client.c \
	sync/api/endpoint.c \
	sync/api/endpoint_jobs.c \
	sync/api/http_time.c sync/api/http_time.h \
	sync/api/jitter.c sync/api/jitter.h \
	sync/api/lookup.c \
	sync/api/lookup_jobs.c \
	sync/api/lookup_sequence.c \
	sync/api/pages.c sync/api/pages.h \
	sync/api/pacer.c sync/api/pacer.h \
	sync/api/queue.c sync/api/queue.h \
	sync/api/rate_share.c sync/api/rate_share.h \
	sync/api/request.c sync/api/request.h \
	sync/api/retry.c sync/api/retry.h \
	sync/api/second_chance.c sync/api/second_chance.h \
	sync/api/transport.h \
	sync/api/transport_advice.c sync/api/transport_advice.h \
	sync/api/transport_curl.c \
	sync/api/transport_read_only.c \
	sync/api/unpack.c sync/api/unpack.h \
	sync/api/waits.c sync/api/waits.h
