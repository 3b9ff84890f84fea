/* Ten batches of every adapter are those of PyTorch in double (tools/oracle/adapt.py): logits and loss of the first and the
 * tenth batch, and how far weights and running statistics have moved after one and after ten. */
#include "support/adapt_rig.h"

#include <math.h>

enum { BATCHES = 10, IMAGES = 12, LAST_IMAGES = 8, SAMPLES = 8, MOST_SETTINGS = 24, MOST_TENSORS = 256 };

/* How far from PyTorch's double: elements in units of the tensor's (or of its movement's) root mean square. Adam divides each
 * gradient by its own size, so where one is next to nothing, rounding decides which way its weight goes; and what rounding
 * decided in one batch, the next ones see. Logits and norms have little of that, single elements more: after ten batches of
 * Adam on all weights up to 7e-2. A mistake in an adapter shows in the first batch, which has no such room. */
typedef struct tolerance {
    double logits, norm, element;
} tolerance;

typedef struct oracle_case {
    const char *name, *adapter;
    const char *const settings[MOST_SETTINGS];
    tolerance first, tenth;
} oracle_case;

#define EXACT { 1e-4, 5e-4, 2e-3 }
#define LATE { 2e-2, 5e-2, 0.3 }
static const oracle_case CASES[] = {
    { "bn", "bn", { NULL }, EXACT, EXACT },
    { "bn-alpha", "bn-alpha", { "alpha", "0.2", NULL }, EXACT, EXACT },
    { "tent", "tent", { NULL }, EXACT, LATE },
    { "tent-sgd-3-steps", "tent", { "optimizer", "sgd", "lr", "0.001", "steps", "3", NULL }, EXACT, LATE },
    { "tent-episodic", "tent", { "steps", "2", "episodic", "true", NULL }, EXACT, EXACT },
    { "pl", "pl", { "beta", "0.5", NULL }, EXACT, LATE },
    { "plc", "plc", { "lr", "0.001", "beta", "0.5", NULL }, EXACT, EXACT },
    { "shot-im", "shot-im", { NULL }, EXACT, LATE },
    { "t3a", "t3a", { "filter_K", "3", NULL }, EXACT, EXACT },
    { "tsd-official", "tsd", { "mode", "official", "filter_K", "3", NULL }, EXACT, LATE },
    { "tsd-official-local", "tsd", { "mode", "official", "filter_K", "3", "lam", "0.1", NULL }, EXACT, LATE },
    { "tsd-official-all", "tsd", { "mode", "official", "filter_K", "-1", NULL }, EXACT, LATE },
    { "tsd-official-affine", "tsd", { "mode", "official", "update_param", "affine", NULL }, EXACT, LATE },
    { "tsd-official-hard", "tsd",
      { "mode", "official", "filter_K", "3", "use_hard", "true", "tau", "0.5", NULL }, EXACT, LATE },
    { "tsd-official-own", "tsd",
      { "mode", "official", "filter_K", "3", "use_hard", "true", "labels", "prototypes", "tau", "0.1", NULL }, EXACT, LATE },
    { "tsd-corrected", "tsd", { "filter_K", "3", "lam", "0.5", "tau", "1", NULL }, EXACT, LATE },
    { "tsd-corrected-tau", "tsd", { "lam", "0.5", "tau", "0.1", NULL }, EXACT, LATE },
    { "eata", "eata", { "lr", "0.01", "e_margin", "0.9", "d_margin", "0.98", "fisher_alpha", "20", NULL }, EXACT, EXACT },
    { "sar", "sar", { "lr", "0.01", "margin", "0.9", NULL }, EXACT, EXACT },
    { "sar-resets", "sar", { "lr", "0.01", "margin", "0.9", "reset_constant", "10", NULL }, EXACT, EXACT },
    { "lame-rbf", "lame", { NULL }, EXACT, EXACT },
    { "lame-knn", "lame", { "affinity", "knn", "knn", "3", NULL }, EXACT, EXACT },
    { "lame-linear", "lame", { "affinity", "linear", "lambda", "0.5", NULL }, EXACT, EXACT },
};

/* ---- the file */

typedef struct wanted {
    FILE *file;
    const oracle_case *c;
    int batch;              /* 0 or 9 */
    int n_found;
    tolerance worst;
} wanted;

/* The numbers of the line that begins with words. */
static bool find_line(FILE *f, const char *words, double *v, int n)
{
    char line[1024];
    size_t len = strlen(words);
    rewind(f);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, words, len) != 0)
            continue;
        char *next = line + len;
        for (int i = 0; i < n; i++)
            v[i] = strtod(next, &next);
        return true;
    }
    return false;
}

/* x (n), less from where it is given, against a norm and eight elements; the errors in units of the tensor's. */
static tolerance distance(const double *v, const float *x, const float *from, int64_t n)
{
    double squares = 0;
    tolerance off = { 0 };
    for (int64_t i = 0; i < n; i++)
        squares += pow((double)x[i] - (from ? from[i] : 0), 2);
    double norm = sqrt(squares), rms = fmax(v[0] / sqrt((double)n), 1e-30);
    off.norm = fabs(norm - v[0]) / fmax(v[0], 1e-30);
    if (!(v[0] > 0)) /* it must not have moved at all */
        return (tolerance){ .norm = norm > 0 ? INFINITY : 0 };
    for (int64_t i = 0; i < SAMPLES; i++) {
        int64_t at = i * n / SAMPLES;
        off.element = fmax(off.element, fabs((double)x[at] - (from ? from[at] : 0) - v[1 + i]) / rms);
    }
    return off;
}

static const tolerance *allowed(const wanted *w)
{
    return w->batch == 0 ? &w->c->first : &w->c->tenth;
}

static void compare_logits(wanted *w, const adapt_rig *r)
{
    char words[128];
    double v[1 + SAMPLES], loss = 0;
    snprintf(words, sizeof words, "%s logits %d ", w->c->name, w->batch);
    assert_true(find_line(w->file, words, v, 1 + SAMPLES));
    tolerance off = distance(v, protea_f32(&r->logits), NULL, protea_count(&r->logits));
    double most = fmax(off.norm, off.element);
    snprintf(words, sizeof words, "%s loss %d ", w->c->name, w->batch);
    assert_true(find_line(w->file, words, &loss, 1));
    most = fmax(most, fabs(loss - (r->out.kept > 0 && r->out.updated ? r->out.loss : 0)) / fmax(fabs(loss), 0.1));
    if (!(most <= allowed(w)->logits))
        print_error("%s, batch %d: logits off by %g, %g; loss %g, PyTorch's %g\n", w->c->name, w->batch, off.norm, off.element,
                    r->out.loss, loss);
    w->worst.logits = fmax(w->worst.logits, most);
}

/* ---- the tensors at the start */

typedef struct start {
    int n, next;
    float *copy[MOST_TENSORS];
    wanted *w;
} start;

static protea_status copy_tensor(void *self, const char *name, protea_tensor *t)
{
    start *s = self;
    (void)name;
    assert_true(s->n < MOST_TENSORS);
    s->copy[s->n] = malloc(protea_bytes(t));
    memcpy(s->copy[s->n++], t->data, protea_bytes(t));
    return PROTEA_OK;
}

static protea_status copy_param(void *self, const char *name, protea_param *p)
{
    return copy_tensor(self, name, &p->w);
}

static protea_status compare_tensor(void *self, const char *name, protea_tensor *t)
{
    start *s = self;
    wanted *w = s->w;
    const float *from = s->copy[s->next++];
    char words[256];
    double v[1 + SAMPLES];
    snprintf(words, sizeof words, "%s delta %d %s ", w->c->name, w->batch + 1, name);
    if (!find_line(w->file, words, v, 1 + SAMPLES))
        return PROTEA_OK;
    tolerance off = distance(v, protea_f32(t), from, protea_count(t));
    if (!(off.norm <= allowed(w)->norm && off.element <= allowed(w)->element))
        print_error("%s: %s after %d batches: norm off by %g, an element by %g\n", w->c->name, name, w->batch + 1, off.norm,
                    off.element);
    w->worst.norm = fmax(w->worst.norm, off.norm);
    w->worst.element = fmax(w->worst.element, off.element);
    w->n_found++;
    return PROTEA_OK;
}

static protea_status compare_param(void *self, const char *name, protea_param *p)
{
    return compare_tensor(self, name, &p->w);
}

/* ---- a case */

enum { WATCHED = 9 };

static bool is_good(const wanted *w)
{
    const tolerance *most = allowed(w);
    return w->worst.logits <= most->logits && w->worst.norm <= most->norm && w->worst.element <= most->element;
}

static bool run_case(protea_ctx *cx, FILE *file, const oracle_case *c)
{
    adapt_rig r;
    start s = { 0 };
    bool good = true;
    assert_ok(adapt_rig_open_in(&r, cx, c->adapter, c->settings));
    assert_ok(protea_adapter_visit_model(r.adapter, &(protea_visitor){ copy_param, copy_tensor, &s }));
    for (int i = 0; i < 2; i++) {
        adapt_rig_images(&r, IMAGES, 100 + i);
        assert_ok(protea_adapter_source(r.adapter, &r.cx, &r.x));
    }
    for (int b = 0; b < BATCHES; b++) {
        adapt_rig_batch(&r, b == BATCHES - 1 ? LAST_IMAGES : IMAGES, b);
        if (b != 0 && b != BATCHES - 1)
            continue;
        wanted w = { .file = file, .c = c, .batch = b };
        s.w = &w;
        s.next = 0;
        compare_logits(&w, &r);
        assert_ok(protea_adapter_visit_model(r.adapter, &(protea_visitor){ compare_param, compare_tensor, &s }));
        assert_int_equal(w.n_found, WATCHED);
        print_message("%-20s batch %d: logits and loss %.1e, norms %.1e, elements %.1e\n", c->name, b, w.worst.logits,
                      w.worst.norm, w.worst.element);
        good = good && is_good(&w);
    }
    for (int i = 0; i < s.n; i++)
        free(s.copy[i]);
    adapt_rig_close_in(&r, cx);
    return good;
}

static void ten_batches_are_pytorchs(void **state)
{
    FILE *file = fopen(TEST_DATA "/adapt.txt", "r");
    protea_ctx cx = test_context_open(64);
    bool good = true;
    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        good = run_case(&cx, file, &CASES[i]) && good;
    fclose(file);
    test_context_close(&cx);
    assert_true(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ten_batches_are_pytorchs) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
