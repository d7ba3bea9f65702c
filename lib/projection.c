#include "projection.h"

#include "characters.h"
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
    for (size_t d = 0; d < dim; d++) axis[d] = 1 + (double)(d * 7919 % 101) / 101;
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

Projection projection_make(const float *table, size_t dim, const uint32_t *row, size_t count) {
    Projection projection = {.dim = dim, .mean = allocate(dim, sizeof(double), "a projection")};
    double *rows = allocate(count * dim, sizeof *rows, "a projection"), *mean = projection.mean;
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < dim; d++) mean[d] += (double)table[row[i] * dim + d] / (double)count;
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < dim; d++)
            rows[i * dim + d] = (double)table[row[i] * dim + d] - mean[d];
    double variance = dot(rows, rows, count * dim);
    for (int a = 0; a < 2; a++) {
        double *axis = projection.axis[a] = allocate(dim, sizeof *axis, "a projection");
        double value = find_axis(rows, count, dim, axis);
        if (!(value > 1e-9 * variance))
            memset(axis, 0, dim * sizeof *axis);
        else
            projection.share[a] = value / variance;
        for (size_t i = 0; i < count; i++) { /* what lies along this axis is not the next one's */
            double at = dot(rows + i * dim, axis, dim);
            for (size_t d = 0; d < dim; d++) rows[i * dim + d] -= at * axis[d];
        }
    }
    free(rows);
    return projection;
}

void projection_free(Projection *projection) {
    free(projection->mean);
    free(projection->axis[0]);
    free(projection->axis[1]);
}

void project_rows(const Projection *projection, const float *table, const uint32_t *row,
                  size_t count, double (*at)[2], Bounds *bounds) {
    for (size_t i = 0; i < count; i++)
        for (int a = 0; a < 2; a++) {
            const float *numbers = table + row[i] * projection->dim;
            at[i][a] = 0;
            for (size_t d = 0; d < projection->dim; d++)
                at[i][a] += ((double)numbers[d] - projection->mean[d]) * projection->axis[a][d];
            bounds->low[a] = fmin(bounds->low[a], at[i][a]);
            bounds->high[a] = fmax(bounds->high[a], at[i][a]);
        }
}

double bounds_share(const Bounds *bounds, int axis, double at) {
    double width = bounds->high[axis] - bounds->low[axis];
    return width > 0 ? (at - bounds->low[axis]) / width : 0.5;
}

/* Names of several letters are in smaller print. */
double mark_radius(uint32_t id) {
    char name[8];
    size_t length = strlen(character_name(character_of((uint8_t)id), name));
    return length < 3 ? MARK_RADIUS : 4 * (double)length;
}

/* Two marks that are too near each go a quarter of what is missing away from the other. */
static void push_apart(double *a, double *b, double wide) {
    double x = (a[0] - b[0]) / wide, y = a[1] - b[1], distance = sqrt(x * x + y * y) + 1e-9;
    double push = (2 * MARK_RADIUS + 1 - distance) / 4 / distance;
    for (int side = -1; push > 0 && side <= 1; side += 2) {
        double *mark = side > 0 ? a : b;
        mark[0] += side * push * x;
        mark[1] += side * push * y;
    }
}

void spread_marks(double (*at)[2], const uint32_t *id, size_t count) {
    for (size_t i = 0; i < count; i++) /* marks in one place, or in a line (dim 1), leave it, too */
        for (int a = 0; a < 2; a++) at[i][a] += 0.01 * (double)(i * (a ? 7 : 3) % 11) - 0.05;
    for (int round = 0; round < 300; round++)
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < i; j++)
                push_apart(at[i], at[j],
                           (mark_radius(id[i]) + mark_radius(id[j])) / (2 * MARK_RADIUS));
}
