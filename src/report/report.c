#include "report/report.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "report/page.h"
#include "report/sheets.h"
#include "train/rundir.h"

#define SHEETS_BEGIN "<!-- sheets -->\n"
#define SHEETS_END "<!-- end of sheets -->\n"
enum { MOST_REPORT_BYTES = 64 << 20 };

/* Copies what lies between the marks of the report that is there. */
static protea_status keep_old_sheets(FILE *out, const char *path)
{
    char *old = NULL;
    size_t len;
    if (access(path, F_OK) != 0)
        return PROTEA_OK;
    PROTEA_TRY(protea_file_read(&old, &len, path, MOST_REPORT_BYTES));
    const char *begin = strstr(old, SHEETS_BEGIN);
    const char *end = begin ? strstr(begin, SHEETS_END) : NULL;
    if (end != NULL) {
        begin += strlen(SHEETS_BEGIN);
        fwrite(begin, 1, (size_t)(end - begin), out);
    }
    protea_free(old);
    return PROTEA_OK;
}

static protea_status write_sheets(protea_ctx *cx, FILE *out, const protea_report_args *args, const char *path)
{
    fputs(SHEETS_BEGIN, out);
    if (args->model != NULL && args->source != NULL)
        PROTEA_TRY(protea_sheets_write(cx, out, args->model, args->source));
    else
        PROTEA_TRY(keep_old_sheets(out, path));
    fputs(SHEETS_END, out);
    return PROTEA_OK;
}

static protea_status write_page(protea_ctx *cx, FILE *out, const protea_run_record *r, const protea_report_args *args,
                                const char *path)
{
    protea_page_head(out, r, args->run_dir);
    protea_page_curves(out, r);
    PROTEA_TRY(write_sheets(cx, out, args, path));
    protea_page_settings(out, r);
    protea_page_skipped(out, r);
    protea_page_close(out);
    return PROTEA_OK;
}

static protea_status write_report(protea_ctx *cx, const protea_run_record *r, const protea_report_args *args, const char *path)
{
    protea_new_file f;
    PROTEA_TRY(protea_new_file_open(&f, path));
    return protea_new_file_end(&f, write_page(cx, f.stream, r, args, path));
}

protea_status protea_report_run(protea_ctx *cx, const protea_report_args *args)
{
    protea_run_record record;
    char *path;
    PROTEA_TRY(protea_path_join(&path, args->run_dir, PROTEA_RUN_REPORT));
    protea_status status = protea_run_record_read(&record, args->run_dir);
    if (status == PROTEA_OK)
        status = protea_run_record_of_train(&record, args->run_dir);
    if (status == PROTEA_OK)
        status = write_report(cx, &record, args, path);
    protea_run_record_release(&record);
    protea_free(path);
    return status;
}
