/* The assignment problem by shortest augmenting paths with potentials (Kuhn 1955; Jonker & Volgenant 1987): the lines of the
 * table's shorter side are matched one after another, each by the cheapest path to a free line of the other side. */
#include <math.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "cluster/scores.h"

typedef struct matching {
    const int64_t *table;
    int64_t rows, columns;      /* rows <= columns */
    int64_t row_step, column_step;
    double *row_price;          /* (rows) */
    double *column_price;       /* (columns) */
    int64_t *partner;           /* (columns) matched row, or -1 */
    double *distance;           /* (columns) of the cheapest path found so far */
    int64_t *from;              /* (columns) the column before on that path, or -1: the new row itself */
    bool *done;                 /* (columns) */
} matching;

static double cost(const matching *m, int64_t row, int64_t column)
{
    return -(double)m->table[row * m->row_step + column * m->column_step];
}

/* Looks at all columns that are not done from `row`, which is reached through column `at` (-1: the start) at `base`. */
static void look_from(matching *m, int64_t row, int64_t at, double base)
{
    for (int64_t j = 0; j < m->columns; j++) {
        double reach = base + cost(m, row, j) - m->row_price[row] - m->column_price[j];
        if (!m->done[j] && reach < m->distance[j]) {
            m->distance[j] = reach;
            m->from[j] = at;
        }
    }
}

static int64_t nearest_column(const matching *m)
{
    int64_t best = -1;
    for (int64_t j = 0; j < m->columns; j++)
        if (!m->done[j] && (best < 0 || m->distance[j] < m->distance[best]))
            best = j;
    return best;
}

static void match_row(matching *m, int64_t row)
{
    int64_t at = -1, now = row;
    double base = 0;
    for (int64_t j = 0; j < m->columns; j++) {
        m->distance[j] = INFINITY;
        m->done[j] = false;
    }
    for (;;) {
        look_from(m, now, at, base);
        at = nearest_column(m);
        base = m->distance[at];
        m->done[at] = true;
        if (m->partner[at] < 0)
            break;
        now = m->partner[at];
    }
    /* Prices change so that the path costs nothing more than the pairs it goes along. */
    m->row_price[row] += base;
    for (int64_t j = 0; j < m->columns; j++)
        if (m->done[j]) {
            m->column_price[j] += m->distance[j] - base;
            if (m->partner[j] >= 0)
                m->row_price[m->partner[j]] += base - m->distance[j];
        }
    for (; m->from[at] >= 0; at = m->from[at])
        m->partner[at] = m->partner[m->from[at]];
    m->partner[at] = row;
}

static protea_status solve(double *sum, matching *m)
{
    size_t rows = (size_t)m->rows, columns = (size_t)m->columns;
    PROTEA_TRY(protea_new(&m->row_price, rows, sizeof *m->row_price, "a matching"));
    PROTEA_TRY(protea_new(&m->column_price, columns, sizeof *m->column_price, "a matching"));
    PROTEA_TRY(protea_new(&m->partner, columns, sizeof *m->partner, "a matching"));
    PROTEA_TRY(protea_new(&m->distance, columns, sizeof *m->distance, "a matching"));
    PROTEA_TRY(protea_new(&m->from, columns, sizeof *m->from, "a matching"));
    PROTEA_TRY(protea_new(&m->done, columns, sizeof *m->done, "a matching"));
    for (int64_t j = 0; j < m->columns; j++)
        m->partner[j] = -1;
    for (int64_t i = 0; i < m->rows; i++)
        match_row(m, i);
    *sum = 0;
    for (int64_t j = 0; j < m->columns; j++)
        *sum -= m->partner[j] >= 0 ? cost(m, m->partner[j], j) : 0;
    return PROTEA_OK;
}

protea_status protea_best_matching(double *sum, const int64_t *table, int64_t rows, int64_t columns)
{
    matching m = { .table = table, .rows = rows, .columns = columns, .row_step = columns, .column_step = 1 };
    if (rows > columns)
        m = (matching){ .table = table, .rows = columns, .columns = rows, .row_step = 1, .column_step = columns };
    protea_status status = solve(sum, &m);
    protea_free(m.row_price);
    protea_free(m.column_price);
    protea_free(m.partner);
    protea_free(m.distance);
    protea_free(m.from);
    protea_free(m.done);
    return status;
}
