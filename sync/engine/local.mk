noinst_LIBRARIES += sync/libengine.a
sync_libengine_a_SOURCES =
