/* Line plots as inline SVG. Colours and fonts come from the page's style, so a plot follows light and dark. */
#ifndef PROTEA_REPORT_PLOT_H
#define PROTEA_REPORT_PLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Points (x[i], y[i]), x growing; those that are not finite are gaps. Borrowed. */
typedef struct protea_series {
    const double *x, *y; /* (n) */
    int64_t n;
} protea_series;

/* Another line in the same plot, drawn more quietly. */
typedef struct protea_beside {
    const char *label, *style;    /* name in the legend; CSS class: "first", "second" */
    protea_series line;
} protea_beside;

typedef struct protea_plot {
    const char *label;            /* what it shows, for those who cannot see it */
    protea_series line;
    bool dots;                    /* few, separate measurements: a dot each */
    bool percent;                 /* y in 0..1, written in percent */
    bool small;                   /* a small multiple: fewer ticks, no x label */
    bool mark_best;               /* a ring around the largest y */
    const char *x_label;          /* "epoch" */
    double reference;             /* a dashed line across, where reference_label is not NULL */
    const char *reference_label;
    const protea_beside *beside;  /* (n_beside) borrowed */
    int n_beside;
    const double *mark;           /* (n_marks) x where something begins: lines from top to bottom; borrowed */
    int n_marks;
} protea_plot;

/* Writes <svg>...</svg>; a plot without a finite point says so. */
void protea_plot_write(FILE *out, const protea_plot *plot);

/* A number as people write it: 3 to 4 digits, no exponent where none is needed. out: at least 32 bytes. Returns out. */
char *protea_plot_number(char out[static 32], double value);

#endif
