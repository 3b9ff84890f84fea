/* Progress reports at a bounded rate. */
#include "api/verb.h"
#include "base/clock.h"

static const double SECONDS_BETWEEN = 0.2;

void protea_ticker_start(protea_ticker *t, const protea_hooks *hooks)
{
    *t = (protea_ticker){ .hooks = hooks, .started = protea_seconds(), .last = -1 };
}

void protea_ticker_tick(protea_ticker *t, const char *stage, double done, double total, const char *unit, const char *note)
{
    double now = protea_seconds(), elapsed = now - t->started;
    bool ends = total > 0 && done >= total;
    if (t->hooks->progress == NULL || (!ends && now - t->last < SECONDS_BETWEEN))
        return;
    t->last = now;
    double rate = elapsed > 0 ? done / elapsed : 0;
    protea_report report = { .stage = stage, .done = done, .total = total, .unit = unit, .rate = rate,
                             .seconds_left = total > 0 && rate > 0 ? (total - done) / rate : -1,
                             .note = note != NULL ? note : "" };
    t->hooks->progress(t->hooks->cookie, &report);
}
