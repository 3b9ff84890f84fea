/* The frame of every page; then the parts of a run's page, in the order in which they stand on it. */
#ifndef PROTEA_REPORT_PAGE_H
#define PROTEA_REPORT_PAGE_H

#include <stdio.h>

#include <protea/options.h>

#include "report/run_record.h"

/* From the doctype to the title inside <header>, which stays open: dir's last part, under the word for what it is. */
void protea_page_open(FILE *out, const char *dir, const char *kind);
/* Its two parts: from the doctype into <head>, which stays open, with more style than every page has; the title. */
void protea_page_begin(FILE *out, const char *dir, const char *more_style);
void protea_page_title(FILE *out, const char *dir, const char *kind);
/* The footer and the end. */
void protea_page_close(FILE *out);
/* A word of a command line, quoted where a shell would take it apart. */
void protea_page_word(FILE *out, const char *word);
/* The command line of a call, whose verb and arguments options hold, with what was given above the defaults. */
void protea_page_command(FILE *out, const protea_options *options, const char *output);

/* From the doctype to the end of <header>: name, what the run is, its command, a warning if there was one, key figures. */
void protea_page_head(FILE *out, const protea_run_record *record, const char *run_dir);
/* Loss and kNN, then a small plot of everything else that was measured. */
void protea_page_curves(FILE *out, const protea_run_record *record);
void protea_page_settings(FILE *out, const protea_run_record *record);
/* Nothing when no image was left out. */
void protea_page_skipped(FILE *out, const protea_run_record *record);

#endif
