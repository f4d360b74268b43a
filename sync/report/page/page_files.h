/* The files of the page as the build embeds them: their lines, each with its newline. The last is NULL. */
#ifndef SYNC_REPORT_PAGE_PAGE_FILES_H
#define SYNC_REPORT_PAGE_PAGE_FILES_H

extern const char *const page_file_html[], *const page_file_css[], *const page_file_js[];

#endif
