#include "projection.h"

#include "characters.h"
#include "fail.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The largest eigenvalue of a symmetric matrix [count, count] and its vector, by power iteration. */
static double largest_eigenvalue(const double *matrix, size_t count, double *vector) {
    double *product = allocate(count, sizeof *product, "a projection"), value = 0;
    for (size_t i = 0; i < count; i++) vector[i] = 1 + (double)(i * 7919 % 101) / 101; /* no vector is orthogonal to this one by design */
    for (int step = 0; step < 500; step++) {
        double norm = 0;
        for (size_t i = 0; i < count; i++) {
            product[i] = 0;
            for (size_t j = 0; j < count; j++) product[i] += matrix[i * count + j] * vector[j];
            norm += product[i] * product[i];
        }
        value = sqrt(norm);
        if (value < 1e-12) break;
        for (size_t i = 0; i < count; i++) vector[i] = product[i] / value;
    }
    free(product);
    return value;
}

/* The eigenvectors of the rows' products with each other, [count, count], give those of their covariance, [dim, dim]: with
   X the centred rows, (X X^T) u = v u makes X^T u / sqrt v a unit vector along which the variance is v. */
Projection projection_make(const float *table, size_t dim, const uint32_t *row, size_t count) {
    Projection projection = {.dim = dim, .mean = allocate(dim, sizeof(double), "a projection")};
    double *centred = allocate(count * dim, sizeof *centred, "a projection"), *products = allocate(count * count, sizeof *products, "a projection");
    double *vector = allocate(count, sizeof *vector, "a projection"), variance = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < dim; d++) projection.mean[d] += (double)table[row[i] * dim + d] / (double)count;
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < dim; d++) {
            double x = centred[i * dim + d] = (double)table[row[i] * dim + d] - projection.mean[d];
            largest = fmax(largest, fabs(x));
        }
    /* rows may have any size: a power of two makes the largest number about 1; no digit changes */
    int exponent;
    frexp(largest, &exponent);
    for (size_t i = 0; i < count * dim; i++) centred[i] = ldexp(centred[i], -exponent);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            for (size_t d = 0; d < dim; d++) products[i * count + j] += centred[i * dim + d] * centred[j * dim + d];
    for (size_t i = 0; i < count; i++) variance += products[i * count + i];
    for (int a = 0; a < 2; a++) {
        double *axis = projection.axis[a] = allocate(dim, sizeof *axis, "a projection");
        double value = count ? largest_eigenvalue(products, count, vector) : 0;
        if (!(value > 1e-9 * variance)) continue;
        double largest = 0;
        for (size_t i = 0; i < count; i++) largest = fabs(vector[i]) > fabs(largest) ? vector[i] : largest;
        double sign = largest < 0 ? -1 : 1; /* the sign is free: the farthest row gets a positive place */
        for (size_t i = 0; i < count; i++)
            for (size_t d = 0; d < dim; d++) axis[d] += sign * centred[i * dim + d] * vector[i] / sqrt(value);
        projection.share[a] = value / variance;
        for (size_t i = 0; i < count; i++) /* what lies along this axis is taken out for the next */
            for (size_t j = 0; j < count; j++) products[i * count + j] -= value * vector[i] * vector[j];
    }
    free(centred);
    free(products);
    free(vector);
    return projection;
}

void projection_free(Projection *projection) {
    free(projection->mean);
    free(projection->axis[0]);
    free(projection->axis[1]);
}

void project(const Projection *projection, const float *row, double *x, double *y) {
    double place[2] = {0};
    for (int a = 0; a < 2; a++)
        for (size_t d = 0; d < projection->dim; d++) place[a] += ((double)row[d] - projection->mean[d]) * projection->axis[a][d];
    *x = place[0];
    *y = place[1];
}

/* Names of several letters are in smaller print. */
double mark_radius(uint32_t id) {
    char name[8];
    size_t length = strlen(character_name(character_of((uint8_t)id), name));
    return length < 3 ? MARK_RADIUS : 4 * (double)length;
}

void spread_marks(const double (*place)[2], const uint32_t *id, size_t count, double (*offset)[2]) {
    const double apart = 2 * MARK_RADIUS + 1;
    for (size_t i = 0; i < count; i++) {
        offset[i][0] = 0;
        offset[i][1] = 0.01 * (double)(i * 7 % 5) - 0.02; /* marks in a line (dim 1) leave it, too */
    }
    for (int round = 0; round < 300; round++)
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < i; j++) {
                double wide = (mark_radius(id[i]) + mark_radius(id[j])) / (2 * MARK_RADIUS);
                double x = (place[i][0] + offset[i][0] - place[j][0] - offset[j][0]) / wide, y = place[i][1] + offset[i][1] - place[j][1] - offset[j][1];
                double distance = sqrt(x * x + y * y), push = (apart - distance) / 4;
                if (push <= 0) continue;
                if (distance < 1e-9) x = 1, y = (double)(i % 3) - 1, distance = sqrt(x * x + y * y);
                offset[i][0] += x / distance * push, offset[i][1] += y / distance * push;
                offset[j][0] -= x / distance * push, offset[j][1] -= y / distance * push;
            }
}
