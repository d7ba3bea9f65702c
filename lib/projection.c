#include "projection.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double dot(const double *a, const double *b, size_t dim) {
    double sum = 0;
    for (size_t d = 0; d < dim; d++) sum += a[d] * b[d];
    return sum;
}

/* axis [dim]: the unit vector along which centred rows [count, dim] vary most, by power iteration
   (the matrix is their covariance). The start is orthogonal to no axis by design. The sign is free:
   the farthest row gets a positive place. Returns the variance along it, times count. */
static double find_axis(const double *rows, size_t count, size_t dim, double *axis) {
    double *next = allocate(dim, sizeof *next, "a projection"), value = 0, farthest = 0;
    for (size_t d = 0; d < dim; d++) axis[d] = 1 + d * 7919 % 101 / 101.0;
    for (int step = 0; step < 500; step++) {
        memset(next, 0, dim * sizeof *next);
        farthest = 0;
        for (size_t i = 0; i < count; i++) {
            double at = dot(rows + i * dim, axis, dim);
            if (fabs(at) > fabs(farthest)) farthest = at;
            for (size_t d = 0; d < dim; d++) next[d] += at * rows[i * dim + d];
        }
        value = sqrt(dot(next, next, dim));
        if (value == 0) break;
        for (size_t d = 0; d < dim; d++) axis[d] = next[d] / value;
    }
    for (size_t d = 0; farthest < 0 && d < dim; d++) axis[d] = -axis[d];
    free(next);
    return value;
}

void project_rows(const float *table, size_t dim, const uint32_t *row, size_t count,
                  double (*at)[2], double share[2]) {
    double *rows = allocate((count + 1) * dim, sizeof *rows, "a projection");
    double *axis = rows + count * dim;
    for (size_t d = 0; d < dim; d++) {
        double mean = 0;
        for (size_t i = 0; i < count; i++) mean += table[row[i] * dim + d] / (double)count;
        for (size_t i = 0; i < count; i++) rows[i * dim + d] = table[row[i] * dim + d] - mean;
    }
    double variance = dot(rows, rows, count * dim);
    for (int a = 0; a < 2; a++) {
        double value = find_axis(rows, count, dim, axis);
        bool differ = value > 1e-9 * variance;
        share[a] = differ ? value / variance : 0;
        for (size_t i = 0; i < count; i++) { /* what lies along this axis is not the next one's */
            at[i][a] = differ ? dot(rows + i * dim, axis, dim) : 0;
            for (size_t d = 0; d < dim; d++) rows[i * dim + d] -= at[i][a] * axis[d];
        }
    }
    free(rows);
}

double lowest(double (*at)[2], size_t count, int axis, double *width) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, at[i][axis]);
        high = fmax(high, at[i][axis]);
    }
    *width = high - low;
    return low;
}
