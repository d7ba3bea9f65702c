#include "projection.h"

#include "memory.h"
#include "sampling.h"

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
    double next[MAX_DIM], value = 0, farthest = 0;
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
    return value;
}

Plane plane_of(const SavedModel *saved) {
    Plane plane = {0};
    bool known = counts_known(&saved->vocabulary);
    size_t dim = saved->model.dim;
    const float *table = saved->model.embedding;
    for (uint8_t c = 0; c < CHARACTERS; c++)
        if (saved->vocabulary.count[c] || !known) plane.id[plane.count++] = c;
    size_t count = plane.count;
    double *rows = allocate(count * dim, sizeof *rows, "a projection"), axis[MAX_DIM];
    for (size_t d = 0; d < dim; d++) {
        double mean = 0;
        for (size_t i = 0; i < count; i++) mean += table[plane.id[i] * dim + d] / (double)count;
        for (size_t i = 0; i < count; i++) rows[i * dim + d] = table[plane.id[i] * dim + d] - mean;
    }
    double variance = dot(rows, rows, count * dim);
    for (int a = 0; a < 2; a++) {
        double value = find_axis(rows, count, dim, axis), high = 0;
        bool differ = value > 1e-9 * variance;
        plane.share[a] = differ ? value / variance : 0;
        for (size_t i = 0; i < count; i++) { /* what lies along this axis is not the next one's */
            double at = plane.at[i][a] = differ ? dot(rows + i * dim, axis, dim) : 0;
            for (size_t d = 0; d < dim; d++) rows[i * dim + d] -= at * axis[d];
            plane.low[a] = fmin(plane.low[a], at);
            high = fmax(high, at);
        }
        plane.width[a] = high - plane.low[a];
    }
    free(rows);
    return plane;
}
