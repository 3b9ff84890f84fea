/* Standard error: messages, and a progress bar where it is a terminal. */
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_CELLS = 24, LINE_MAX_BYTES = 512 };

cli_terminal cli_terminal_open(bool quiet)
{
    const char *kind = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    bool able = isatty(STDERR_FILENO) && kind != NULL && strcmp(kind, "dumb") != 0;
    return (cli_terminal){ .quiet = quiet, .bar = able && !quiet, .colour = able && (no_colour == NULL || *no_colour == 0) };
}

void cli_terminal_clear(cli_terminal *t)
{
    if (t->drawn)
        fputs("\r\033[K", stderr);
    t->drawn = false;
}

/* One write, so that lines of several processes do not mix. */
static void put_line(cli_terminal *t, const char *colour, const char *label, const char *line)
{
    cli_terminal_clear(t);
    if (t->colour && *label)
        fprintf(stderr, "protea: \033[%sm%s\033[0m%s\n", colour, label, line);
    else
        fprintf(stderr, "protea: %s%s\n", label, line);
    fflush(stderr);
}

void cli_terminal_log(void *cookie, protea_log_level level, const char *line)
{
    cli_terminal *t = cookie;
    if (level == PROTEA_LOG_WARN)
        put_line(t, "33", "warning: ", line);
    else if (!t->quiet)
        put_line(t, "", "", line);
}

void cli_terminal_error(cli_terminal *t, const char *line)
{
    put_line(t, "31", "error: ", line);
}

static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

/* "1:02:03 left" */
static void write_left(char *out, size_t size, double seconds)
{
    long s = (long)(seconds + 0.5);
    if (seconds < 0)
        out[0] = 0;
    else if (s >= 3600)
        snprintf(out, size, "%ld:%02ld:%02ld left", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, size, "%ld:%02ld left", s / 60, s % 60);
}

static void write_bar(char *out, double fraction)
{
    int full = (int)(fraction * BAR_CELLS + 0.5);
    for (int i = 0; i < BAR_CELLS; i++)
        out[i] = i < full ? '#' : '.';
    out[BAR_CELLS] = 0;
}

void cli_terminal_progress(void *cookie, const protea_report *report)
{
    cli_terminal *t = cookie;
    char bar[BAR_CELLS + 1], left[40], line[LINE_MAX_BYTES];
    if (!t->bar)
        return;
    double fraction = report->total > 0 ? report->done / report->total : 0;
    fraction = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
    write_bar(bar, fraction);
    write_left(left, sizeof left, report->seconds_left);
    if (report->total > 0)
        snprintf(line, sizeof line, "%s [%s] %3.0f%%  %.4g %s/s  %s  %s", report->stage, bar, 100 * fraction, report->rate,
                 report->unit, left, report->note);
    else
        snprintf(line, sizeof line, "%s  %.0f %s  %.4g %s/s  %s", report->stage, report->done, report->unit, report->rate,
                 report->unit, report->note);
    fprintf(stderr, "\r%.*s\033[K", columns() - 1, line);
    fflush(stderr);
    t->drawn = true;
}
