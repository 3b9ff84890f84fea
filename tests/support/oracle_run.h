/* A run of a method against the one that PyTorch did in double (tools/oracle/METHOD.py wrote it down): every loss, and at the end
 * the norm and eight elements of every tensor. No step allocates, but for the first of an epoch. */
#ifndef PROTEA_TESTS_SUPPORT_ORACLE_RUN_H
#define PROTEA_TESTS_SUPPORT_ORACLE_RUN_H

#include <math.h>

#include "optim/optim.h"
#include "support/method_rig.h"

enum { ORACLE_SAMPLES = 8, ORACLE_EARLY = 3 };

/* How far from PyTorch's double a run may end. The problem is small and so amplifies: in PyTorch itself, noise of 1e-7 on
 * the images moves the losses by 1e-7 in the first three steps and by 2e-3 in the tenth. A mistake in the method shows in
 * the early steps, which have little room; the late ones have what amplified rounding needs. */
typedef struct oracle_tolerance {
    double early, late; /* of the losses of steps 0 to 2 and of the others, relative, below 1 absolute */
    double norm;        /* relative */
    double element;     /* in units of the tensor's root mean square */
} oracle_tolerance;

typedef struct oracle {
    FILE *file;
    oracle_tolerance allowed;
    const char *unlisted; /* names of tensors that the file leaves out, between blanks, beside counters of batches */
    int n_found;
    oracle_tolerance worst;
} oracle;

static inline double oracle_larger(double a, double b)
{
    return a > b ? a : b;
}

static inline double oracle_element(const protea_tensor *t, int64_t i)
{
    return t->dtype == PROTEA_I32 ? protea_i32(t)[i] : (double)protea_f32(t)[i];
}

/* The line of `name`: its norm and eight elements. */
static inline bool oracle_line(FILE *f, const char *name, double v[1 + ORACLE_SAMPLES])
{
    char line[1024], word[256];
    int at;
    rewind(f);
    while (fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "%255s%n", word, &at) != 1 || strcmp(word, name) != 0)
            continue;
        char *next = line + at;
        for (int i = 0; i <= ORACLE_SAMPLES; i++)
            v[i] = strtod(next, &next);
        return true;
    }
    return false;
}

static inline void oracle_tensor(oracle *w, const char *name, const protea_tensor *t)
{
    double v[1 + ORACLE_SAMPLES], squares = 0;
    if (!oracle_line(w->file, name, v)) {
        if (strstr(name, "num_batches_tracked") == NULL && strstr(w->unlisted, name) == NULL)
            fail_msg("%s: not in the file", name);
        return;
    }
    int64_t n = protea_count(t);
    for (int64_t i = 0; i < n; i++)
        squares += oracle_element(t, i) * oracle_element(t, i);
    double rms = v[0] / sqrt((double)n), norm = fabs(sqrt(squares) - v[0]) / v[0], element = 0;
    for (int64_t i = 0; i < ORACLE_SAMPLES; i++)
        element = oracle_larger(element, fabs(oracle_element(t, i * n / ORACLE_SAMPLES) - v[1 + i]) / rms);
    if (norm > w->allowed.norm || element > w->allowed.element)
        fail_msg("%s: norm off by %g, an element by %g", name, norm, element);
    w->worst.norm = oracle_larger(w->worst.norm, norm);
    w->worst.element = oracle_larger(w->worst.element, element);
    w->n_found++;
}

static inline protea_status oracle_param(void *self, const char *name, protea_param *p)
{
    oracle_tensor(self, name, &p->w);
    return PROTEA_OK;
}

static inline protea_status oracle_buffer(void *self, const char *name, protea_tensor *t)
{
    oracle_tensor(self, name, t);
    return PROTEA_OK;
}

static inline void oracle_loss(oracle *w, int step, double loss)
{
    double value;
    int number;
    char line[256];
    rewind(w->file);
    while (fgets(line, sizeof line, w->file) != NULL)
        if (sscanf(line, "loss %d %lf", &number, &value) == 2 && number == step) {
            double off = fabs(loss - value) / fmax(fabs(value), 1);
            if (!(off <= (step < ORACLE_EARLY ? w->allowed.early : w->allowed.late)))
                fail_msg("step %d: loss %.7f, PyTorch's is %.7f", step, loss, value);
            if (step < ORACLE_EARLY)
                w->worst.early = oracle_larger(w->worst.early, off);
            w->worst.late = oracle_larger(w->worst.late, off);
            w->n_found++;
            return;
        }
    fail_msg("no loss of step %d in the file", step);
}

/* One step of the method, the optimiser and what follows. Only the first and the beginning of an epoch may allocate. */
static inline protea_status oracle_step(rig *r, protea_optim *optim, int step, double lr, bool first)
{
    bool may_allocate = first || step % r->now.steps_per_epoch == 0;
    protea_alloc_fail_after(may_allocate ? 0 : 1, 1);
    protea_status status = protea_zero_all_gradients(rig_visit, r);
    if (status == PROTEA_OK)
        status = rig_step(r, step);
    if (status == PROTEA_OK)
        status = protea_optim_step(&r->cx, optim, lr);
    if (status == PROTEA_OK && r->ops->after_update != NULL)
        status = r->ops->after_update(&r->cx, r->method, &r->now);
    protea_alloc_fail_after(0, 0);
    return status;
}

/* Steps first to first + n of a planned rig with views from the formula, and their losses. */
static inline void oracle_steps(rig *r, oracle *w, const protea_optim_opts *opts, const protea_schedule *schedule, int first, int n)
{
    protea_optim *optim;
    assert_non_null(w->file);
    assert_ok(protea_optim_new(&optim, opts, rig_visit, r));
    for (int step = first; step < first + n; step++) {
        rig_fill_views(r, step);
        assert_ok(oracle_step(r, optim, step, protea_schedule_lr(schedule, step - first), step == first));
        oracle_loss(w, step - first, r->out.loss);
    }
    protea_optim_free(optim);
}

/* The same, and then every tensor. Returns the number of losses and tensors that were compared. */
static inline int oracle_run(rig *r, oracle *w, const protea_optim_opts *opts, const protea_schedule *schedule, int first, int n)
{
    const protea_visitor compare = { .param = oracle_param, .buffer = oracle_buffer, .self = w };
    oracle_steps(r, w, opts, schedule, first, n);
    assert_ok(rig_visit(r, &compare));
    print_message("worst: early loss %.1e, loss %.1e, norm %.1e, element %.1e\n", w->worst.early, w->worst.late,
                  w->worst.norm, w->worst.element);
    return w->n_found;
}

#endif
