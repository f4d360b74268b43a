noinst_LIBRARIES += connectors/libconnectors.a
connectors_libconnectors_a_SOURCES = \
	connectors/source.c connectors/source.h connectors/drivers.h \
	connectors/columns.c connectors/columns.h \
	connectors/csv.c \
	connectors/csvrows.c connectors/csvrows.h \
	connectors/decode.c connectors/decode.h \
	connectors/delimiter.c connectors/delimiter.h \
	connectors/input.c connectors/input.h
