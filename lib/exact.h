/* exact.h: exp, log, sin and cos that give the same bits on every machine.

   libm's differ in the last bit from one system to the next, and one such bit makes another model.
   These use only +, -, *, / and sqrt, which IEEE 754 rounds exactly, in a fixed order. The build
   keeps compilers from fusing a multiply and an add (-ffp-contract=off). */
#ifndef EXACT_H
#define EXACT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* As many floats as this machine calculates with at a time, and how many registers it has for them (32-bit x86 has fewer: there sums
   go through memory): element-wise + - * / give the same bits whatever the width. (gcc keeps vectors that are wider than its
   registers in memory, ten times as slow. Vectors of 16 floats are 1.25 times as fast on AMD's Zen 5, not on Zen 4, which halves them
   again; AVX-VNNI tells the newer ones from the older. clang may halve them itself, to spare the clock of Intel's.) Vectors are
   never passed or returned, so no calling convention matters. */
#if defined(__AVX512F__) && defined(__AVXVNNI__) && !defined(__clang__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
#if defined(__AVX512VL__) || defined(__aarch64__)
enum { REGISTERS = 32 };
#else
enum { REGISTERS = 16 };
#endif
typedef float Floats __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t Integers __attribute__((vector_size(4 * LANES), aligned(4), may_alias)); /* what comparing gives */
typedef uint32_t Bits __attribute__((vector_size(4 * LANES), aligned(4), may_alias));    /* may wrap around: numbers that are none come by, too */

/* Functions on vectors take up to 32 numbers, TOGETHER vectors (their number is a constant at every call), and do each step for all
   before the next: a step of a vector waits for the step before, so that one vector alone would leave the processor idle half of the time. */
enum { TOGETHER = 32 / LANES };

/* most = the larger one, number by number. */
static inline void keep_larger(Floats *most, const Floats *other) {
    Integers larger = *other > *most;
    *most = (Floats)(((Integers)*other & larger) | ((Integers)*most & ~larger));
}

static inline double exact_sqrt(double x) { return sqrt(x); } /* IEEE 754: rounded exactly */

/* Natural logarithm of a normal positive double, to about 1 unit in the last place.
   x = 2^k m with m in [sqrt(1/2), sqrt 2); with s = (m-1)/(m+1), ln m = 2 (s + s^3/3 + s^5/5 + ...). */
static inline double exact_log(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        exponent++;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int n = 21; n >= 3; n -= 2) sum = (sum + 1.0 / n) * square;
    return exponent * 0.6931471805599453 + 2 * (s + s * sum);
}

/* cos(2 pi turn) and sin(2 pi turn) for turn in [0, 1]: by symmetry from Taylor series on an eighth turn. */
static inline double exact_cos_turns(double turn);

static inline double exact_sin_turns(double turn) {
    if (turn >= 0.5) return -exact_sin_turns(turn - 0.5);
    if (turn > 0.25) turn = 0.5 - turn;
    if (turn > 0.125) return exact_cos_turns(0.25 - turn);
    double x = 6.283185307179586 * turn, square = x * x, sum = 0;
    for (int n = 16; n >= 2; n -= 2) sum = (1 + sum) * -square / (n * (n + 1));
    return x + x * sum;
}

static inline double exact_cos_turns(double turn) {
    if (turn >= 0.5) return -exact_cos_turns(turn - 0.5);
    if (turn > 0.25) return -exact_cos_turns(0.5 - turn);
    if (turn > 0.125) return exact_sin_turns(0.25 - turn);
    double x = 6.283185307179586 * turn, square = x * x, sum = 0;
    for (int n = 15; n >= 1; n -= 2) sum = (1 + sum) * -square / (n * (n + 1));
    return 1 + sum;
}

/* values[i] = exp(values[i]) for vectors of values at most 0 (smaller than -87 counts as -87), relative error below 3e-7.
   exp x = 2^n exp r with n = round(x / ln 2): adding 1.5 * 2^23 rounds to a whole number and leaves it in
   the low bits, from where a shift moves it into the exponent; exp r by its Taylor series, |r| <= ln 2 / 2. */
static inline __attribute__((always_inline)) void exact_exps(Floats *values, const int vectors) {
    Floats r[TOGETHER], n[TOGETHER], shifted[TOGETHER], e[TOGETHER];
    for (int i = 0; i < vectors; i++) {
        r[i] = (Floats){0} - 87.0f;
        keep_larger(&r[i], &values[i]);
    }
    for (int i = 0; i < vectors; i++) shifted[i] = r[i] * 1.44269504f + 12582912.0f;
    for (int i = 0; i < vectors; i++) n[i] = shifted[i] - 12582912.0f;
    for (int i = 0; i < vectors; i++) r[i] = r[i] - n[i] * 0.693145752f - n[i] * 1.42860677e-6f;
    for (int i = 0; i < vectors; i++) e[i] = r[i] * (1.0f / 720) + 1.0f / 120;
    for (int i = 0; i < vectors; i++) e[i] = e[i] * r[i] + 1.0f / 24;
    for (int i = 0; i < vectors; i++) e[i] = e[i] * r[i] + 1.0f / 6;
    for (int i = 0; i < vectors; i++) e[i] = e[i] * r[i] + 0.5f;
    for (int i = 0; i < vectors; i++) e[i] = e[i] * r[i] + 1.0f;
    for (int i = 0; i < vectors; i++) e[i] = e[i] * r[i] + 1.0f;
    for (int i = 0; i < vectors; i++) values[i] = (Floats)((Bits)e[i] + ((Bits)shifted[i] << 23));
}

/* result[i] = 1 / sqrt(x[i]) of vectors of values at least 0, relative error below 2e-7; at most 1e10, also for 0. A first guess
   halves the exponent; each of Newton's steps y -> y (1.5 - x/2 y^2) doubles the digits that are right.
   Multiplications and subtractions take half the time of a square root and a division. */
static inline __attribute__((always_inline)) void exact_inverse_roots(const Floats *x, Floats *result, const int vectors) {
    const Bits guess = (Bits){0} + 0x5f3759dfu;
    const Floats most = (Floats){0} + 1e10f;
    Floats y[TOGETHER];
    for (int i = 0; i < vectors; i++) y[i] = (Floats)(guess - ((Bits)x[i] >> 1));
    for (int step = 0; step < 3; step++)
        for (int i = 0; i < vectors; i++) y[i] = y[i] * (1.5f - x[i] * 0.5f * y[i] * y[i]);
    for (int i = 0; i < vectors; i++) {
        Integers small = y[i] < most;
        result[i] = (Floats)(((Integers)y[i] & small) | ((Integers)most & ~small));
    }
}

/* e^x for |x| below 700, to about 1 unit in the last place: e^x = 2^n e^r, e^r by its Taylor series. */
static inline double exact_exp(double x) {
    int n = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    double r = x - n * 0.6931471805599453, sum = 1;
    for (int k = 16; k >= 1; k--) sum = 1 + sum * r / k;
    uint64_t bits = (uint64_t)(n + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

/* e^x for any x: 0 and infinity where no normal double is as small or as large. */
static inline double exact_exp_bounded(double x) {
    return x < -700 ? 0 : x > 700 ? INFINITY : exact_exp(x);
}

/* The p-norm of a vector; p = INFINITY: the largest absolute value. Numbers may have any size:
   squares of floats and their sums are doubles; other powers are taken of each number's share of
   the largest. Infinite only where no double is as large. */
static inline double exact_norm(const float *values, size_t count, double p) {
    double largest = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        double x = values[i] < 0 ? -(double)values[i] : (double)values[i];
        largest = x > largest ? x : largest;
        sum += x * x;
    }
    if (p == 2) return exact_sqrt(sum);
    if (isinf(p) || largest == 0 || isinf(largest)) return largest;
    sum = 0;
    for (size_t i = 0; i < count; i++) {
        double share = (values[i] < 0 ? -(double)values[i] : (double)values[i]) / largest;
        if (share > 0) sum += exact_exp_bounded(p * exact_log(share));
    }
    return largest * exact_exp_bounded(exact_log(sum) / p);
}

#endif
