/* Signals that end a run. The flag is the command's one variable that outlives a function: handlers have no cookie. */
#include "stop.h"

#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked;

/* With the code that a shell gives a command which a signal ended. */
static void end_now(int number, const char *why)
{
    ssize_t written = write(STDERR_FILENO, why, strlen(why));
    (void)written; /* nothing more can be said */
    _exit(128 + number);
}

static void ask_to_stop(int number)
{
    if (number == SIGINT && stop_asked)
        end_now(number, "\nprotea: error: interrupted twice; the last checkpoint stands\n");
    stop_asked = 1;
}

static void end_at_once(int number)
{
    end_now(number, "\nprotea: error: stopped by a signal; nothing to resume from\n");
}

volatile sig_atomic_t *cli_watch_signals(bool can_resume)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGUSR1, SIGHUP };
    struct sigaction action = { .sa_handler = can_resume ? ask_to_stop : end_at_once, .sa_flags = SA_RESTART }, old;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sigaction(numbers[i], NULL, &old) == 0 && !(numbers[i] == SIGHUP && old.sa_handler == SIG_IGN))
            sigaction(numbers[i], &action, NULL);
    return &stop_asked;
}

void cli_ignore_write_signals(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file over the limit (ulimit -f) is an error like a full disk */
}
