/* Only what may be called in a handler is: write, backtrace (whose library is loaded beforehand) and raise. */
#include "crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

enum { MOST_CALLS = 64, STACK_BYTES = 64 << 10 };

static const char message[] = "\nprotea: error: a defect ended this process; what was saved stands, and a run goes on with "
                              "--resume. Please report it with these lines:\n";

static char own_stack[STACK_BYTES]; /* for the one who has overrun his */

static void report(int number)
{
    void *call[MOST_CALLS];
    ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    (void)written; /* nothing more can be said */
    backtrace_symbols_fd(call, backtrace(call, MOST_CALLS), STDERR_FILENO);
    raise(number); /* SA_RESETHAND: now it ends the process */
}

void cli_report_crashes(void)
{
    static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
    stack_t stack = { .ss_sp = own_stack, .ss_size = sizeof own_stack }, present;
    struct sigaction action = { .sa_handler = report, .sa_flags = (int)(SA_RESETHAND | SA_ONSTACK) }, old;
    void *call[1];
    backtrace(call, 1); /* loads what it needs */
    if (sigaltstack(NULL, &present) == 0 && (present.ss_flags & SS_DISABLE))
        sigaltstack(&stack, NULL);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(numbers[i], &action, NULL);
}
