#include "report/plot.h"

#include <math.h>
#include <string.h>

#include "report/html.h"

enum { MOST_POINTS = 600 }; /* more than the picture has columns: neighbours are then averaged */

static const double FLAT = 0.005; /* changes by less than this share of the size are not blown up */

/* Where the data go: a linear map of [low, high] to [from, to] pixels, and a tick every step. */
typedef struct axis {
    double low, high, step;
    double from, to;
} axis;

typedef struct canvas {
    const protea_plot *plot;
    double w, h, left, right, top, bottom; /* of the picture; of the field the line runs in */
    axis x, y;
} canvas;

static double at(const axis *a, double value)
{
    return a->from + (value - a->low) / (a->high - a->low) * (a->to - a->from);
}

/* 1, 2 or 5 times a power of ten: the least that gives at most `most` steps over the range. */
static double nice_step(double range, int most)
{
    double raw = range / most, power = pow(10, floor(log10(raw)));
    double digit = raw / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

/* Widens [low, high]. */
static void add_range(const double *v, int64_t n, double *low, double *high)
{
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(v[i]))
            continue;
        *low = fmin(*low, v[i]);
        *high = fmax(*high, v[i]);
    }
}

char *protea_plot_number(char out[static 32], double value)
{
    double size = fabs(value);
    if (value == 0)
        snprintf(out, 32, "0");
    else if (size >= 1e6 || size < 1e-3)
        snprintf(out, 32, "%.2g", value);
    else
        snprintf(out, 32, "%.*f", size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4, value);
    return out;
}

/* As many decimals as the step needs to be told from its neighbours. */
static void write_tick(FILE *out, double value, double step, bool percent)
{
    double scale = percent ? 100 : 1;
    int decimals = (int)fmax(0, -floor(log10(step * scale) + 1e-9));
    if (fabs(value) < step / 1e6)
        value = 0;
    if (decimals > 4 || fabs(value * scale) >= 1e6)
        fprintf(out, "%.2g", value * scale);
    else
        fprintf(out, "%.*f", decimals, value * scale);
    if (percent)
        fputs(" %", out);
}

static void write_grid(FILE *out, const canvas *c)
{
    for (double v = ceil(c->y.low / c->y.step - 1e-9) * c->y.step; v <= c->y.high + c->y.step * 1e-9; v += c->y.step) {
        fprintf(out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", c->left, at(&c->y, v), c->right);
        fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", c->left - 7, at(&c->y, v) + 3.5);
        write_tick(out, v, c->y.step, c->plot->percent);
        fputs("</text>", out);
    }
    for (int i = 0; i < c->plot->n_marks; i++)
        fprintf(out, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", at(&c->x, c->plot->mark[i]), c->top, c->bottom);
    fprintf(out, "<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/>", c->left, c->bottom, c->right);
    for (double v = ceil(c->x.low / c->x.step - 1e-9) * c->x.step; v <= c->x.high + c->x.step * 1e-9; v += c->x.step) {
        fprintf(out, "<path class=\"axis\" d=\"M%.1f %.1fv4\"/>", at(&c->x, v), c->bottom);
        fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", at(&c->x, v), c->bottom + 17);
        write_tick(out, v, c->x.step, false);
        fputs("</text>", out);
    }
    if (c->plot->x_label == NULL || c->plot->small)
        return;
    fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", c->right, c->h - 3);
    protea_html_text(out, c->plot->x_label);
    fputs("</text>", out);
}

/* The line, each point the mean of `stride` neighbours; a gap where none of them is finite. */
static void write_line(FILE *out, const canvas *c, const protea_series *s, const char *style)
{
    int64_t stride = s->n / MOST_POINTS + 1;
    bool pen_down = false;
    fprintf(out, "<path class=\"curve%s%s\" d=\"", style[0] ? " " : "", style);
    for (int64_t first = 0; first < s->n; first += stride) {
        double x = 0, y = 0;
        int64_t n = 0;
        for (int64_t i = first; i < s->n && i < first + stride; i++) {
            if (!isfinite(s->y[i]) || !isfinite(s->x[i]))
                continue;
            x += s->x[i];
            y += s->y[i];
            n++;
        }
        if (n > 0)
            fprintf(out, "%c%.1f %.1f", pen_down ? 'L' : 'M', at(&c->x, x / (double)n), at(&c->y, y / (double)n));
        pen_down = n > 0;
    }
    fputs("\"/>", out);
}

static void write_dot(FILE *out, const canvas *c, int64_t i, const char *class, double radius)
{
    fprintf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", class, at(&c->x, c->plot->line.x[i]),
            at(&c->y, c->plot->line.y[i]), radius);
}

static void write_marks(FILE *out, const canvas *c)
{
    const protea_series *s = &c->plot->line;
    int64_t last = -1, best = -1;
    for (int64_t i = 0; i < s->n; i++) {
        if (!isfinite(s->y[i]) || !isfinite(s->x[i]))
            continue;
        last = i;
        if (best < 0 || s->y[i] > s->y[best])
            best = i;
        if (c->plot->dots && s->n <= 60)
            write_dot(out, c, i, "dot", 2.6);
    }
    if (c->plot->mark_best)
        write_dot(out, c, best, "ring", 6);
    write_dot(out, c, last, "dot", 3.4);
}

static void write_reference(FILE *out, const canvas *c)
{
    const protea_plot *p = c->plot;
    if (p->reference_label == NULL || p->reference < c->y.low || p->reference > c->y.high)
        return;
    double y = at(&c->y, p->reference);
    fprintf(out, "<path class=\"reference\" d=\"M%.1f %.1fH%.1f\"/>", c->left, y, c->right);
    fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", c->right, y - 5);
    protea_html_text(out, p->reference_label);
    fputs("</text>", out);
}

/* Ranges that hold all points (and the reference) and end on ticks. False when there is nothing to show. */
static bool lay_out(canvas *c)
{
    const protea_plot *p = c->plot;
    double x_low = (double)INFINITY, x_high = -x_low, low = x_low, high = -x_low;
    add_range(p->line.x, p->line.n, &x_low, &x_high);
    add_range(p->line.y, p->line.n, &low, &high);
    for (int i = 0; i < p->n_beside; i++)
        add_range(p->beside[i].line.y, p->beside[i].line.n, &low, &high);
    if (!isfinite(low) || !isfinite(x_low))
        return false;
    if (p->reference_label != NULL) {
        low = fmin(low, p->reference);
        high = fmax(high, p->reference);
    }
    double size = fmax(fabs(low), fabs(high));
    if (high - low <= FLAT * size) { /* a nearly flat line runs through the middle */
        double margin = size > 0 ? size / 10 : 1;
        low -= margin;
        high += margin;
    }
    x_low = fmin(x_low, 0);
    if (!(x_high > x_low))
        x_high = x_low + 1;
    double step = nice_step(high - low, p->small ? 3 : 5);
    c->y = (axis){ floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step, step, c->bottom, c->top };
    c->x = (axis){ x_low, x_high, nice_step(x_high - x_low, p->small ? 4 : 8), c->left, c->right };
    if (c->x.step < 1)
        c->x.step = 1; /* epochs and steps are whole */
    return true;
}

void protea_plot_write(FILE *out, const protea_plot *plot)
{
    canvas c = { .plot = plot, .w = plot->small ? 300 : 560, .h = plot->small ? 150 : 290 };
    c.left = plot->small ? 46 : 52;
    c.right = c.w - 10;
    c.top = 12;
    c.bottom = c.h - (plot->small ? 24 : 38);
    fprintf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", c.w, c.h);
    protea_html_text(out, plot->label);
    fputs("\">", out);
    if (lay_out(&c)) {
        write_grid(out, &c);
        write_reference(out, &c);
        for (int i = 0; i < plot->n_beside; i++)
            write_line(out, &c, &plot->beside[i].line, plot->beside[i].style);
        write_line(out, &c, &plot->line, "");
        write_marks(out, &c);
    } else {
        fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">nothing measured yet</text>",
                c.w / 2, c.h / 2);
    }
    fputs("</svg>\n", out);
}
