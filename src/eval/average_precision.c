/* Recalls are compared as whole numbers: tp / P >= j / 10 is 10 tp >= j P, which no rounding blurs. */
#include "eval/average_precision.h"

#include <stdlib.h>

enum { PARTS = 10 };

static int by_score(const void *a, const void *b)
{
    double x = ((const protea_ranked *)a)->score, y = ((const protea_ranked *)b)->score;
    return (x < y) - (x > y);
}

/* Items become points of the curve, one for each score there is: precision in `score`, hits so far in `is`. Returns how many. */
static int64_t make_curve(protea_ranked *item, int64_t n)
{
    int64_t points = 0, hits = 0;
    for (int64_t i = 0; i < n; i++) {
        double score = item[i].score;
        hits += item[i].is;
        if (i + 1 < n && item[i + 1].score == score)
            continue;
        item[points++] = (protea_ranked){ (double)hits / (double)(i + 1), hits };
    }
    return points;
}

static double steps(const protea_ranked *point, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += point[i].score * (double)(point[i].is - (i > 0 ? point[i - 1].is : 0));
    return sum / (double)point[n - 1].is;
}

/* Each precision becomes the best from there on. */
static void make_falling(protea_ranked *point, int64_t n)
{
    for (int64_t i = n - 2; i >= 0; i--)
        if (point[i].score < point[i + 1].score)
            point[i].score = point[i + 1].score;
}

static double elevens(const protea_ranked *point, int64_t n)
{
    double sum = 0;
    int64_t i = 0;
    for (int64_t j = 0; j <= PARTS; j++) {
        while (PARTS * point[i].is < j * point[n - 1].is)
            i++;
        sum += point[i].score;
    }
    return sum / (PARTS + 1);
}

void protea_average_precision(double ap[static PROTEA_AP_KINDS], protea_ranked *item, int64_t n)
{
    qsort(item, (size_t)n, sizeof *item, by_score);
    int64_t points = make_curve(item, n);
    ap[PROTEA_AP_STEPS] = steps(item, points);
    make_falling(item, points);
    ap[PROTEA_AP_AREA] = steps(item, points);
    ap[PROTEA_AP_ELEVEN] = elevens(item, points);
}
